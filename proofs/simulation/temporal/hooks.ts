import { registerHooks } from 'node:module';

const STAND_IN = new URL('./workflow-sdk.ts', import.meta.url).href;

/** In this thread and from here on, workflow code that is imported finds the stand-in where it asks for Temporal's SDK. */
registerHooks({
  resolve(specifier, context, next) {
    return specifier === '@temporalio/workflow'
      ? { url: STAND_IN, format: 'module-typescript', shortCircuit: true }
      : next(specifier, context);
  },
});
