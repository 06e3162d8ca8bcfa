import { z } from 'zod';
import { MODES } from '../../domain/mode.ts';
import { GATEWAY_NAMES } from '../../gateways/registry.ts';
import { IdText, text } from '../http/fields.ts';
import { PendingChanges } from './change-schemas.ts';

const ModeField = z.enum(MODES, 'must be TEST or LIVE');
export const GatewayName = z.enum(GATEWAY_NAMES, `must be one of ${GATEWAY_NAMES.join(', ')}`);

const STORE = {
  storeId: text(120).describe('The store’s account id at the gateway.'),
  storePassword: text(8_000).describe(
    'A password, or the JSON with the keys and certificates that the gateway needs. Stored encrypted and never returned.',
  ),
} as const;

export const StoreCredentials = z.object({ ...STORE }).meta({ id: 'StoreCredentials' });

export const GatewayOverride = z
  .object({ mode: ModeField, gateway: GatewayName, ...STORE })
  .meta({ id: 'GatewayOverride' });

export const GatewaySlotParams = z.object({ gateway: GatewayName, mode: ModeField });
export const OverrideParams = z.object({ id: IdText, mode: ModeField });

export const GatewayStore = z
  .object({
    gateway: z.string(),
    displayName: z.string(),
    mode: z.enum(MODES),
    storeId: z.string().nullable().describe('The store at which new checkouts are opened. Null if there is none.'),
    source: z
      .enum(['APPLICATION', 'INSTALLATION', 'ENVIRONMENT'])
      .nullable()
      .describe(
        'Where the store is configured: as the application’s override, by an operator for the whole installation, or in the environment.',
      ),
    since: z.iso.datetime().nullable().describe('Null for a store configured in the environment.'),
    currencies: z.array(z.string()),
    pendingChanges: PendingChanges,
  })
  .meta({ id: 'GatewayStore' });

export const ApplicationGateway = z
  .object({
    ...GatewayStore.shape,
    allowed: z.boolean().describe('Whether the application’s `gatewaysAllowed` setting permits the gateway.'),
  })
  .meta({ id: 'ApplicationGateway' });

export const ChosenStore = z
  .object({
    ...GatewayStore.shape,
    checked: z
      .boolean()
      .describe(
        'Whether the gateway accepted the credentials. False if the gateway could not be reached or has no check; the credentials are stored anyway.',
      ),
  })
  .meta({ id: 'ChosenStore' });
