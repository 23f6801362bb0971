/** The compiler's doors, for who loads it when it is needed. */
export { describeMemory, describeStages } from "./describe.ts";
export { planOf } from "./plan.ts";
export { planLayout, programOf } from "./program.ts";
export { threads } from "./threads.ts";
