import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type BundleOptions, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

const WORKFLOWS_PATH = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));

/** Part of every bundle, so that the code in the sandbox does not depend on whether telemetry is on. */
export const WORKFLOW_INTERCEPTORS = [fileURLToPath(new URL('../workflows/trace-context.ts', import.meta.url))];

/** The workflows as options of a worker that bundles them itself. */
export const WORKFLOWS = { workflowsPath: WORKFLOWS_PATH, bundlerOptions: { preloadModules: [WORKFLOWS_PATH] } };

/**
 * Bundles workflows, by default ours. All workflows of a worker share one evaluation of their modules; otherwise each cached one keeps a copy of every
 * module. So no module may keep state, and `test/worker/shared-modules.test.ts` checks this.
 */
export function bundleWorkflows(
  options: Omit<BundleOptions, 'workflowsPath' | 'preloadModules'> & { readonly workflowsPath?: string } = {},
): Promise<WorkflowBundleWithSourceMap> {
  const { workflowsPath = WORKFLOWS_PATH, workflowInterceptorModules = WORKFLOW_INTERCEPTORS, ...others } = options;
  return bundleWorkflowCode({
    ...others,
    workflowsPath,
    workflowInterceptorModules,
    preloadModules: [workflowsPath, ...workflowInterceptorModules],
  });
}

/** Returns the prebuilt bundle if there is one, as in production; otherwise bundles the workflows now. */
export async function workflowBundle(
  builtPath: string | null,
): Promise<WorkflowBundleWithSourceMap | { readonly codePath: string }> {
  if (builtPath !== null) {
    if (!existsSync(builtPath)) {
      throw new Error(`LENDEN_WORKFLOW_BUNDLE is not a file: ${builtPath}`);
    }
    return { codePath: builtPath };
  }
  return bundleWorkflows();
}
