import type { WebhookDependencies } from '../core/webhooks/attempt.ts';
import { deliverEvent } from '../core/webhooks/deliver.ts';
import type { EndpointGate } from '../core/webhooks/endpoint-gate.ts';
import { scopeOf } from '../core/scope.ts';
import { describeError } from '../runtime/logger.ts';
import type { WebhookActivities } from '../workflows/messages/webhook.ts';
import { asApplicationFailure } from './failures.ts';

export interface WebhookActivityDependencies extends WebhookDependencies {
  /** Shared with the first attempts of the same process. */
  readonly gate: EndpointGate;
}

export function createWebhookActivities(deps: WebhookActivityDependencies): WebhookActivities {
  const { gate } = deps;
  return {
    async deliverWebhook(input) {
      try {
        return await deliverEvent({ deps, gate, input, scope: scopeOf(input) });
      } catch (error) {
        deps.log.error({ event: input.eventId, error: describeError(error) }, 'webhook attempt not recorded');
        throw asApplicationFailure(error);
      }
    },
  };
}
