// Formats of diskettes: what the firmware's disk services and the floppy controller take an image for, by its size.

export interface DisketteFormat {
  readonly cylinders: number;
  readonly heads: number;
  /** Sectors of 512 bytes on a track. */
  readonly sectors: number;
  /** Drive type as in CMOS memory and of INT 13h, AH=08h. */
  readonly type: number;
  /** Data rate as in the controller's CCR: 0 500 kb/s, 1 300, 2 250, 3 1000. */
  readonly rate: number;
}

/** Standard diskettes: KiB, cylinders, heads, sectors, drive type, data rate. */
const STANDARD: readonly (readonly [number, number, number, number, number, number])[] = [
  [160, 40, 1, 8, 1, 2],
  [180, 40, 1, 9, 1, 2],
  [320, 40, 2, 8, 1, 2],
  [360, 40, 2, 9, 1, 2],
  [720, 80, 2, 9, 3, 2],
  [1200, 80, 2, 15, 2, 0],
  [1440, 80, 2, 18, 4, 0],
  [1680, 80, 2, 21, 4, 0],
  [1722, 82, 2, 21, 4, 0],
  [2880, 80, 2, 36, 5, 3],
];

/**
 * The format of an image of so many bytes. One of no standard size is a shorter 1.44 MB or 2.88 MB diskette; larger ones get as many
 * cylinders as they need.
 */
export function disketteFormat(size: number): DisketteFormat {
  const total = Math.ceil(size / 512);
  const row = STANDARD.find(([kib]) => kib * 1024 === size) ?? STANDARD.find(([kib]) => (kib === 1440 || kib === 2880) && kib * 2 >= total);
  if (row) return { cylinders: row[1], heads: row[2], sectors: row[3], type: row[4], rate: row[5] };
  return { cylinders: Math.min(1024, Math.ceil(total / 72)), heads: 2, sectors: 36, type: 5, rate: 3 };
}
