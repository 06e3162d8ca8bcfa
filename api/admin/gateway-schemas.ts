import { z } from 'zod';
import { MODES } from '../../domain/mode.ts';
import { GATEWAY_NAMES } from '../../gateways/registry.ts';
import { IdText, text } from '../http/fields.ts';
import { PendingChanges } from './change-schemas.ts';

const ModeField = z.enum(MODES, 'must be TEST or LIVE');
export const GatewayName = z.enum(GATEWAY_NAMES, `must be one of ${GATEWAY_NAMES.join(', ')}`);

const STORE = {
  storeId: text(120).describe('The account at the gateway.'),
  storePassword: text(8_000).describe(
    'A password, or the JSON that the gateway’s adapter reads its keys and certificates from. Kept encrypted; no answer ever holds it.',
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
    storeId: z.string().nullable().describe('Where new checkouts are opened. Null: nowhere.'),
    source: z
      .enum(['APPLICATION', 'INSTALLATION', 'ENVIRONMENT'])
      .nullable()
      .describe(
        'Who gave the store: the application’s override, an operator for every application, or the settings of the process.',
      ),
    since: z.iso.datetime().nullable().describe('Null for the settings of the process.'),
    currencies: z.array(z.string()),
    pendingChanges: PendingChanges,
  })
  .meta({ id: 'GatewayStore' });

export const ApplicationGateway = z
  .object({
    ...GatewayStore.shape,
    allowed: z.boolean().describe('By the application’s setting gatewaysAllowed.'),
  })
  .meta({ id: 'ApplicationGateway' });

export const ChosenStore = z
  .object({
    ...GatewayStore.shape,
    checked: z
      .boolean()
      .describe(
        'The gateway itself took the credentials. False: it could not be asked, or does not tell, and they are kept all the same.',
      ),
  })
  .meta({ id: 'ChosenStore' });
