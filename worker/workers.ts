import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  Worker,
  type NativeConnection,
  type WorkerOptions,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import type { Client } from '@temporalio/client';
import { createLedgerActivities } from '../activities/ledger.ts';
import { createPaymentActivities } from '../activities/payments.ts';
import { createSweepActivities } from '../activities/sweep.ts';
import type { SweepDependencies } from '../core/sweep/sweep.ts';
import { createWebhookActivities } from '../activities/webhooks.ts';
import type { AllowList } from '../domain/outbound-url.ts';
import type { HttpClient } from '../runtime/http-client.ts';
import type { SecretBox } from '../runtime/secrets.ts';
import { TASK_QUEUES } from '../workflows/messages/names.ts';

export const WORKFLOWS_PATH = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));

/** Part of every bundle, so that the code in the sandbox does not depend on whether telemetry is on. */
export const WORKFLOW_INTERCEPTORS = [fileURLToPath(new URL('../workflows/trace-context.ts', import.meta.url))];

export interface WorkerDependencies extends SweepDependencies {
  readonly secrets: SecretBox;
  /** Guarded: reaches public addresses and the allow-list only. */
  readonly webhookHttp: HttpClient;
  readonly allow: AllowList;
  readonly temporal: Client;
}

export interface WorkersOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly workflowBundle: WorkflowBundleWithSourceMap | { readonly codePath: string };
  readonly interceptors?: WorkerOptions['interceptors'];
  readonly sinks?: WorkerOptions['sinks'];
}

/** A cached workflow takes 0.3 MB, and a payment that is not cached only replays a dozen events: enough for the active ones. */
const CACHED_WORKFLOWS_MAX = 500;
/** Forty receivers that hang, with five attempts each, fill these slots until their circuits open. A waiting slot costs little. */
const WEBHOOK_ATTEMPTS_MAX = 200;
const STOP_GRACE = '20s';

/** Creates one worker per task queue, all in one process, so that payments, webhooks and maintenance never wait for each other's slots. */
export async function createWorkers(deps: WorkerDependencies, options: WorkersOptions): Promise<Worker[]> {
  const { connection, namespace, workflowBundle, interceptors, sinks } = options;
  const shared = {
    connection,
    namespace,
    workflowBundle,
    shutdownGraceTime: STOP_GRACE,
    ...(interceptors === undefined ? {} : { interceptors }),
    ...(sinks === undefined ? {} : { sinks }),
  };
  return Promise.all([
    Worker.create({
      ...shared,
      taskQueue: TASK_QUEUES.payments,
      activities: createPaymentActivities(deps),
      maxCachedWorkflows: CACHED_WORKFLOWS_MAX,
    }),
    Worker.create({
      ...shared,
      taskQueue: TASK_QUEUES.webhooks,
      activities: createWebhookActivities({ ...deps, http: deps.webhookHttp }),
      maxCachedWorkflows: CACHED_WORKFLOWS_MAX,
      maxConcurrentActivityTaskExecutions: WEBHOOK_ATTEMPTS_MAX,
    }),
    Worker.create({
      ...shared,
      taskQueue: TASK_QUEUES.maintenance,
      activities: { ...createSweepActivities(deps), ...createLedgerActivities(deps) },
      maxCachedWorkflows: 10,
      maxConcurrentActivityTaskExecutions: 4,
    }),
  ]);
}

/** Returns the prebuilt bundle if there is one, as in production; otherwise bundles the workflows now. */
export async function workflowBundle(builtPath: string | null): Promise<WorkersOptions['workflowBundle']> {
  if (builtPath !== null) {
    if (!existsSync(builtPath)) {
      throw new Error(`LENDEN_WORKFLOW_BUNDLE is not a file: ${builtPath}`);
    }
    return { codePath: builtPath };
  }
  return bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, workflowInterceptorModules: WORKFLOW_INTERCEPTORS });
}
