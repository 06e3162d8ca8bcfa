import type { components } from '../../api-types.ts';

type Schemas = components['schemas'];

export type Mode = Schemas['Payment']['mode'];
export type PaymentStatus = Schemas['Payment']['status'];
export type ReviewReason = NonNullable<Schemas['Payment']['review']>['reason'];
export type RefundStatus = Schemas['Refund']['status'];
export type InboxKind = Schemas['Inbox']['kinds'][number]['kind'];
export type WaitingFor = Schemas['Explanation']['waitingFor'];
export type SearchKind = Schemas['SearchHit']['kind'];
export type FoundBy = Schemas['SearchHit']['foundBy'];
export type Permission = Schemas['Me']['permissions'][number]['permission'];
export type Gateway = NonNullable<Schemas['ApplicationSettings']['gatewaysAllowed']>[number];

export const GATEWAYS = ['sslcommerz', 'bkash', 'nagad', 'stripe', 'manual'] as const satisfies readonly Gateway[];

/** The gateways as a form offers them. */
export const GATEWAY_OPTIONS: Readonly<Record<string, string>> = Object.fromEntries(
  GATEWAYS.map((gateway) => [gateway, gateway]),
);
