import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { createPaymentActivities } from '../../../activities/payments.ts';
import { createWebhookActivities } from '../../../activities/webhooks.ts';
import { createEndpointGate } from '../../../core/webhooks/endpoint-gate.ts';
import { moveClock, type MovedClock } from '../../../core/test-clock/move-clock.ts';
import { updateApplication } from '../../../core/applications/store/applications.ts';
import type { InvoiceRecord } from '../../../core/invoices/store/invoices.ts';
import type { ClockedName } from '../../../core/test-clock/store.ts';
import type { Dispatch } from '../../../core/dispatch.ts';
import type { Mode } from '../../../domain/mode.ts';
import { parseAllowList } from '../../../domain/outbound-url.ts';
import type { ClockMove } from '../../../domain/test-clock.ts';
import { createHttpClient } from '../../../runtime/http-client.ts';
import { createDispatch } from '../../../temporal/dispatch.ts';
import { WORKFLOWS } from '../../../worker/workflow-bundle.ts';
import { TASK_QUEUES } from '../../../workflows/messages/names.ts';
import { listenHttp } from '../../runtime/http-client/listener.ts';
import { connectTestTemporal, createTestNamespace } from '../../support/temporal.ts';
import { openInvoiceWorld, type InvoiceWorld } from '../invoices/invoice-world.ts';
import { createPaymentWorld, secrets, type PaymentWorld } from '../payments/payment-world.ts';

/** Payments and invoices on a real Postgres with a real Temporal in real time: only a test clock moves it. The receiver of webhooks always fails. */
export interface ClockWorld {
  readonly payments: PaymentWorld;
  readonly invoices: InvoiceWorld;
  /** The deliveries that the receiver has refused. */
  readonly refused: string[];
  forward(reference: string, forward: ClockMove, options?: Asking): Promise<MovedClock>;
  forwardInvoice(invoice: Pick<InvoiceRecord, 'id'>, forward: ClockMove): Promise<MovedClock>;
  close(): Promise<void>;
}

export interface Asking {
  readonly mode?: Mode;
  readonly dispatch?: Partial<Dispatch>;
}

export async function openClockWorld(): Promise<ClockWorld> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const refused: string[] = [];
  const receiver = await listenHttp((response, request) => {
    refused.push(String(request.headers['x-webhook-id']));
    response.writeHead(503).end();
  });
  const http = createHttpClient({ guard: 'none', allow: parseAllowList('') });
  const open = async () => {
    const namespace = await createTestNamespace();
    const temporal = await connectTestTemporal({ timeSkipping: false, namespace });
    return { namespace, temporal, dispatch: createDispatch(temporal.client) };
  };
  const [ofPayments, ofInvoices] = await Promise.all([open(), open()]);
  const payments = await createPaymentWorld({ dispatch: ofPayments.dispatch });
  const invoices = await openInvoiceWorld({ dispatch: ofInvoices.dispatch });
  await updateApplication(payments, { applicationId: payments.app.applicationId, webhookUrl: `${receiver.url}/hook` });
  const common = { ...WORKFLOWS, connection: ofPayments.temporal.nativeConnection };
  const workers = await Promise.all([
    Worker.create({
      ...common,
      namespace: ofPayments.namespace,
      taskQueue: TASK_QUEUES.payments,
      activities: createPaymentActivities(payments.deps),
    }),
    Worker.create({
      ...common,
      namespace: ofPayments.namespace,
      taskQueue: TASK_QUEUES.webhooks,
      activities: createWebhookActivities({
        ...payments.deps,
        http,
        secrets,
        allow: parseAllowList('127.0.0.1:*'),
        gate: createEndpointGate(),
      }),
    }),
    Worker.create({
      ...common,
      namespace: ofInvoices.namespace,
      taskQueue: TASK_QUEUES.payments,
      activities: createPaymentActivities(invoices.deps),
    }),
  ]);
  const running = workers.map((worker) => worker.run());
  return {
    payments,
    invoices,
    refused,
    async forward(reference, forward, { mode = 'TEST', dispatch = {} } = {}) {
      return moveClock(
        { ...payments.deps, dispatch: { ...ofPayments.dispatch, ...dispatch } },
        { applicationId: payments.app.applicationId, mode },
        { ...(await nameOf(payments, reference)), forward },
      );
    },
    forwardInvoice: ({ id }, forward) =>
      moveClock(invoices.deps, invoices.caller.scope, { object: 'invoice', id, forward }),
    async close() {
      workers.forEach((worker) => worker.shutdown());
      await Promise.all(running);
      await Promise.all([ofPayments, ofInvoices].map(({ temporal }) => temporal.close()));
      await payments.close();
      await invoices.close();
      await receiver.close();
      await http.close();
    },
  };
}

/** The object of a reference of a payment or refund, or of an event's id. */
async function nameOf({ rows }: PaymentWorld, reference: string): Promise<ClockedName> {
  if (reference.startsWith('evt_')) {
    return { object: 'delivery', id: reference };
  }
  const object = reference.startsWith('ref_') ? 'refund' : 'payment';
  const [row] = await rows(`select id from ${object}s where reference = ?`, [reference]);
  return { object, id: BigInt(String(row?.['id'] ?? 0)) };
}
