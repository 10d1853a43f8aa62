// The door to the hypervisor for whoever drives it. The platform's own connections are beside it: node/connect.ts and
// web/connect.ts.

export type { HypervisorClient } from './protocol.ts';
export { createLocalClient, type LocalClient } from './local.ts';
export { createMachineBuilder } from './machine.ts';
