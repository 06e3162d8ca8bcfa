import { registerHooks } from 'node:module';

const STAND_INS: ReadonlyMap<string, string> = new Map([
  ['@temporalio/activity', new URL('./activity-sdk.ts', import.meta.url).href],
  ['@temporalio/workflow', new URL('./workflow-sdk.ts', import.meta.url).href],
  ['node:timers/promises', new URL('../fake-timers.ts', import.meta.url).href],
]);

/** Makes code imported in this thread from here on load the stand-ins for Temporal's SDK and timers. */
registerHooks({
  resolve(specifier, context, next) {
    const url = STAND_INS.get(specifier);
    return url === undefined ? next(specifier, context) : { url, format: 'module-typescript', shortCircuit: true };
  },
});
