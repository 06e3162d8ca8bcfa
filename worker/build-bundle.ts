import { writeFile } from 'node:fs/promises';
import { bundleWorkflows } from './workflow-bundle.ts';

/** `node worker/build-bundle.ts PATH` bundles the workflows in advance, for `LENDEN_WORKFLOW_BUNDLE`. */
const path = process.argv[2];
if (path === undefined) {
  console.error('usage: node worker/build-bundle.ts PATH');
  process.exit(1);
}
const { code } = await bundleWorkflows();
await writeFile(path, code);
console.log(JSON.stringify({ msg: 'workflow bundle built', bytes: code.length }));
