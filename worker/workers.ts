import {
  Worker,
  type NativeConnection,
  type WorkerOptions,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import type { Client } from '@temporalio/client';
import { createLedgerActivities } from '../activities/ledger.ts';
import { createPayoutActivities } from '../activities/payouts.ts';
import { createPaymentActivities } from '../activities/payments.ts';
import { createReconciliationActivities } from '../activities/reconciliation.ts';
import { createSweepActivities } from '../activities/sweep.ts';
import type { SweepDependencies } from '../core/sweep/sweep.ts';
import { createWebhookActivities } from '../activities/webhooks.ts';
import type { EndpointGate } from '../core/webhooks/endpoint-gate.ts';
import type { AllowList } from '../domain/outbound-url.ts';
import type { HttpClient } from '../runtime/http-client.ts';
import type { SecretBox } from '../runtime/secrets.ts';
import { TASK_QUEUES } from '../workflows/messages/names.ts';

export interface WorkerDependencies extends SweepDependencies {
  readonly secrets: SecretBox;
  /** Guarded: reaches public addresses and the allow-list only. */
  readonly webhookHttp: HttpClient;
  readonly allow: AllowList;
  readonly gate: EndpointGate;
  readonly temporal: Client;
}

export interface WorkersOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly workflowBundle: WorkflowBundleWithSourceMap | { readonly codePath: string };
  /** For each of payments and webhooks. */
  readonly cachedWorkflowsMax: number;
  readonly interceptors?: WorkerOptions['interceptors'];
  readonly sinks?: WorkerOptions['sinks'];
}

/** Forty receivers that hang, with five attempts each, fill these slots until their circuits open. A waiting slot costs little. */
const WEBHOOK_ATTEMPTS_MAX = 200;
/**
 * A workflow task lasts as long as its local activities, which wait for a gateway or the database and use no CPU meanwhile. Queries to a silent gateway
 * hold their tasks for seconds, and must leave room for payments at other gateways.
 */
const WORKFLOW_TASKS_MAX = 500;
const STOP_GRACE = '20s';

/** Creates one worker per task queue, all in one process, so that payments, webhooks and maintenance never wait for each other's slots. */
export async function createWorkers(deps: WorkerDependencies, options: WorkersOptions): Promise<Worker[]> {
  const { connection, namespace, workflowBundle, cachedWorkflowsMax, interceptors, sinks } = options;
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
      maxConcurrentLocalActivityExecutions: WORKFLOW_TASKS_MAX,
      maxConcurrentWorkflowTaskExecutions: Math.min(WORKFLOW_TASKS_MAX, cachedWorkflowsMax),
      maxCachedWorkflows: cachedWorkflowsMax,
    }),
    Worker.create({
      ...shared,
      taskQueue: TASK_QUEUES.webhooks,
      activities: createWebhookActivities({ ...deps, http: deps.webhookHttp }),
      maxCachedWorkflows: cachedWorkflowsMax,
      maxConcurrentActivityTaskExecutions: WEBHOOK_ATTEMPTS_MAX,
    }),
    Worker.create({
      ...shared,
      taskQueue: TASK_QUEUES.maintenance,
      activities: {
        ...createSweepActivities(deps),
        ...createLedgerActivities(deps),
        ...createReconciliationActivities(deps),
        ...createPayoutActivities(deps),
      },
      maxCachedWorkflows: 10,
      maxConcurrentActivityTaskExecutions: 4,
    }),
  ]);
}
