import { InitialMigration } from './20261121000000-initial.ts';
import { OperatorsAndRefundsMigration } from './20261121010000-operators-and-refunds.ts';
import { GatewayStoresMigration } from './20261121020000-gateway-stores.ts';

/** In the order in which they run. Append only: a released migration is never edited. */
export const MIGRATIONS = [
  { name: '20261121000000-initial', class: InitialMigration },
  { name: '20261121010000-operators-and-refunds', class: OperatorsAndRefundsMigration },
  { name: '20261121020000-gateway-stores', class: GatewayStoresMigration },
];
