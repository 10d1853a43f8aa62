// Limits of a guest's part of its worker.

/** Weight 1 to 1000, cap 1 to 100 percent; throws a RangeError otherwise. */
export function checkShare(weight: number, cap: number): void {
  if (!(weight >= 1 && weight <= 1000)) throw new RangeError(`Weight ${weight}: it can be 1 to 1000.`);
  if (!(cap >= 1 && cap <= 100)) throw new RangeError(`Cap ${cap}: it can be 1 to 100 percent.`);
}
