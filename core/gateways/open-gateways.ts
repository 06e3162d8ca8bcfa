import type { Database } from '../../database/connection.ts';
import { BKASH_CAPABILITIES } from '../../gateways/bkash/gateway.ts';
import { observeGateways } from '../../gateways/observed.ts';
import type { GatewayRegistry } from '../../gateways/port.ts';
import { createGatewayRegistry, type RegistryParts } from '../../gateways/registry.ts';
import type { SecretBox } from '../../runtime/secrets.ts';
import type { Telemetry } from '../../runtime/telemetry.ts';
import { manualRecords } from '../manual-payments/store/manual-records.ts';
import { GatewayExecutions } from './store/executions.ts';
import { GatewayTokens } from './store/tokens.ts';

export interface GatewaysOfProcess extends Pick<RegistryParts, 'config' | 'http'> {
  readonly database: Database;
  /** Runs as a role of this process that may store bKash's tokens. */
  readonly tokenTransaction: Database['withSystem'];
  readonly secrets: SecretBox;
  readonly telemetry: Telemetry;
}

/** Opens the gateways with what a process shares with all others: bKash's tokens and executions, and the operators' decisions on manual payments. */
export function openGateways({
  config,
  http,
  database,
  tokenTransaction,
  secrets,
  telemetry,
}: GatewaysOfProcess): GatewayRegistry {
  const registry = createGatewayRegistry({
    config,
    http,
    secrets,
    bkashTokens: new GatewayTokens({ transaction: tokenTransaction, secrets }),
    bkashExecutions: new GatewayExecutions(database, BKASH_CAPABILITIES.name),
    readManual: manualRecords(database),
  });
  return observeGateways(registry, telemetry);
}
