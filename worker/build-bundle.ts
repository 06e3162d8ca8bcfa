import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode } from '@temporalio/worker';
import { WORKFLOW_INTERCEPTORS, WORKFLOWS_PATH } from './workers.ts';

/** `node worker/build-bundle.ts PATH` bundles the workflows in advance, for `LENDEN_WORKFLOW_BUNDLE`. */
const path = process.argv[2];
if (path === undefined) {
  console.error('usage: node worker/build-bundle.ts PATH');
  process.exit(1);
}
const { code } = await bundleWorkflowCode({
  workflowsPath: WORKFLOWS_PATH,
  workflowInterceptorModules: WORKFLOW_INTERCEPTORS,
});
await writeFile(path, code);
console.log(JSON.stringify({ msg: 'workflow bundle built', bytes: code.length }));
