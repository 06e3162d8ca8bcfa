import type { AdminDependencies } from '../../api/admin/dependencies.ts';
import type { ApiDependencies } from '../../api/dependencies.ts';
import { parseAllowList } from '../../domain/outbound-url.ts';
import { createLogger } from '../../runtime/logger.ts';

/** Returns dependencies that throw when used. Routes need them to be built, but generating a document calls none. */
export function idleDependencies(): ApiDependencies & AdminDependencies {
  const refuse = (): never => {
    throw new Error('nothing runs while files are generated');
  };
  return {
    database: {
      withScope: refuse,
      withCredential: refuse,
      withSystem: refuse,
      withOperator: refuse,
      lookup: refuse,
      ping: refuse,
      close: refuse,
    },
    gateways: {
      names: [],
      capabilities: refuse,
      open: refuse,
      defaultStoreId: refuse,
      pageOrigin: refuse,
      attemptNamedIn: refuse,
    },
    updates: { follow: refuse, close: refuse },
    dispatch: {
      outcomeWaitMs: 0,
      openCheckout: refuse,
      chooseGateway: refuse,
      signalChoice: refuse,
      startPayment: refuse,
      signalCallback: refuse,
      signalCancel: refuse,
      startUnappliedPayment: refuse,
      startRefund: refuse,
      notifyInvoice: refuse,
      rescheduleInvoice: refuse,
      signalReviewDecision: refuse,
      decideUnappliedPayment: refuse,
      signalRefundEnded: refuse,
      startDelivery: refuse,
      resendDelivery: refuse,
      endedWorkflows: refuse,
      startReconciliation: refuse,
      cancelReconciliation: refuse,
      startPayoutImport: refuse,
      wakeSweeper: refuse,
      skipsTime: refuse,
      skipTime: refuse,
    },
    deliveries: { begin: refuse },
    secrets: { keyId: '', seal: refuse, open: refuse, fits: refuse, reseal: refuse },
    sessionLimits: { idleMs: 0, absoluteMs: 0 },
    sendsEmail: false,
    temporalUi: null,
    allow: parseAllowList(''),
    publicHttp: { send: refuse, close: refuse },
    calendar: { timeZone: 'UTC', today: refuse, startOf: refuse, morningOf: refuse },
    log: createLogger({ service: 'generate', level: 'silent' }),
    apiUrl: 'http://localhost:8080',
    webUrl: 'http://localhost:3000',
  };
}
