import type { WebhookDependencies } from '../core/webhooks/attempt.ts';
import { deliverEvent } from '../core/webhooks/deliver.ts';
import type { EndpointGate } from '../core/webhooks/endpoint-gate.ts';
import { scopeOf } from '../core/scope.ts';
import type { WebhookActivities } from '../workflows/messages/webhook.ts';
import { guarded } from './failures.ts';

export interface WebhookActivityDependencies extends WebhookDependencies {
  /** Shared with the first attempts of the same process. */
  readonly gate: EndpointGate;
}

export function createWebhookActivities(deps: WebhookActivityDependencies): WebhookActivities {
  const { gate } = deps;
  return {
    deliverWebhook: (input) =>
      guarded({ log: deps.log, activity: 'deliverWebhook', about: { event: input.eventId } }, () =>
        deliverEvent({ deps, gate, input, scope: scopeOf(input) }),
      ),
  };
}
