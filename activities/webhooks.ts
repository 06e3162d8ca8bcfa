import { deliverEvent, type WebhookDependencies } from '../core/webhooks/deliver.ts';
import { createEndpointGate } from '../core/webhooks/endpoint-gate.ts';
import { scopeOf } from '../core/scope.ts';
import { describeError } from '../runtime/logger.ts';
import type { WebhookActivities } from '../workflows/messages/webhook.ts';
import { asApplicationFailure } from './failures.ts';

export function createWebhookActivities(deps: WebhookDependencies): WebhookActivities {
  const gate = createEndpointGate({ now: deps.now, random: deps.random });
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
