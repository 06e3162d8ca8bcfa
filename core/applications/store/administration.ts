import { notFound } from '../../../domain/errors.ts';
import type { Contract } from '../../../domain/contract.ts';
import type { Mode } from '../../../domain/mode.ts';
import { HEALTHY } from './applications.ts';
import type { EntityManager } from '../../../database/connection.ts';
import { listRows, type ListPage, type ListSlice } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';

/** An application with its webhook endpoints, as operators see it. Contains no secret. */
export interface ApplicationRow {
  id: string;
  name: string;
  status: 'ACTIVE' | 'DISABLED';
  webhook_url: string | null;
  webhook_disabled_at: Date | null;
  webhook_disabled_reason: string | null;
  /** Null: events of TEST go to `webhook_url`. */
  test_webhook_url: string | null;
  test_webhook_disabled_at: Date | null;
  test_webhook_disabled_reason: string | null;
  refund_approval_threshold_minor: string | null;
  refund_approval_thresholds: Record<string, number>;
  receipts_enabled: boolean;
  min_amount_minor: string | null;
  max_amount_minor: string | null;
  expiry_minutes: number;
  rate_limit_per_minute: number;
  unapplied_payment_policy: 'REVIEW' | 'REFUND';
  refunded_invoices: 'REOPEN' | 'KEEP';
  return_origins: string[];
  gateways_allowed: string[] | null;
  checkout_gateways: string[] | null;
  shadhinpay_events: string[] | null;
  shadhinpay_client_id: string | null;
  shadhinpay_business_id: string | null;
  created_at: Date;
  updated_at: Date;
}

const COLUMNS = `a.id, a.name, a.status, w.url as webhook_url, w.disabled_at as webhook_disabled_at,
  w.disabled_reason as webhook_disabled_reason, case when not t.follows_live then t.url end as test_webhook_url,
  t.disabled_at as test_webhook_disabled_at, t.disabled_reason as test_webhook_disabled_reason,
  a.refund_approval_threshold_minor, a.refund_approval_thresholds, a.receipts_enabled, a.min_amount_minor, a.max_amount_minor, a.expiry_minutes,
  a.rate_limit_per_minute, a.unapplied_payment_policy, a.refunded_invoices, a.return_origins,
  a.gateways_allowed, a.checkout_gateways, a.shadhinpay_events, a.shadhinpay_client_id, a.shadhinpay_business_id, a.created_at, a.updated_at`;
const FROM = `applications a join webhook_endpoints w on w.application_id = a.id and w.mode = 'LIVE'
  join webhook_endpoints t on t.application_id = a.id and t.mode = 'TEST'`;

export function listApplications(
  em: EntityManager,
  { status, name, slice }: { status: string | undefined; name: string | undefined; slice: ListSlice },
): Promise<ListPage<ApplicationRow>> {
  return listRows(em, {
    columns: COLUMNS,
    from: FROM,
    conditions: [
      ['a.status = ?', status],
      ['position(lower(?) in lower(a.name)) > 0', name],
    ],
    orderBy: ['a.created_at', 'a.id'],
    slice,
  });
}

/** Throws RESOURCE_NOT_FOUND if the operator's view has no such application. */
export async function readApplication(em: EntityManager, applicationId: bigint): Promise<ApplicationRow> {
  const [row] = await em.execute<ApplicationRow[]>(`select ${COLUMNS} from ${FROM} where a.id = ?`, [applicationId]);
  if (row === undefined) {
    throw notFound('application');
  }
  return row;
}

export interface CredentialRow {
  id: string;
  mode: Mode;
  contract: Contract;
  label: string | null;
  prefix: string | null;
  scopes: string[] | null;
  status: 'PENDING' | 'ACTIVE' | 'REVOKED';
  expires_at: Date | null;
  last_used_at: Date | null;
  created_at: Date;
}

const CREDENTIAL = 'id, mode, contract, label, prefix, scopes, status, expires_at, last_used_at, created_at';

export function listCredentials(em: EntityManager, applicationId: bigint): Promise<CredentialRow[]> {
  return em.execute<CredentialRow[]>(
    `select ${CREDENTIAL} from credentials where application_id = ? order by id desc limit 500`,
    [applicationId],
  );
}

/** Revokes a key. Every process rejects it immediately, since the row is read on every request. Returns null if there is no such credential. */
export async function revokeCredential(
  em: EntityManager,
  { applicationId, credentialId }: { applicationId: bigint; credentialId: bigint },
): Promise<CredentialRow | null> {
  const [row] = await em.execute<CredentialRow[]>(
    `update credentials set status = 'REVOKED' where id = ? and application_id = ?
     returning ${CREDENTIAL}`,
    [credentialId, applicationId],
  );
  return row ?? null;
}

/** Sets until when a pending key can be confirmed. */
export async function confirmableUntil(
  em: EntityManager,
  { credentialId, until }: { credentialId: bigint; until: Date },
): Promise<void> {
  await em.execute(`update credentials set expires_at = ? where id = ? and status = 'PENDING'`, [until, credentialId]);
}

/** Activates a pending key. Returns null if it is no longer pending, because someone has revoked it. */
export async function activateCredential(
  em: EntityManager,
  { applicationId, credentialId }: { applicationId: bigint; credentialId: bigint },
): Promise<CredentialRow | null> {
  const [row] = await em.execute<CredentialRow[]>(
    `update credentials set status = 'ACTIVE', expires_at = null where id = ? and application_id = ? and status = 'PENDING'
     returning ${CREDENTIAL}`,
    [credentialId, applicationId],
  );
  return row ?? null;
}

/** Revokes keys that were not confirmed in time. Must run as the system. Returns their number. */
export async function revokeUnconfirmed(statements: Statements): Promise<number> {
  const revoked = await statements.execute<object[]>(
    `update credentials set status = 'REVOKED' where status = 'PENDING' and expires_at <= now() returning 1`,
  );
  return revoked.length;
}

/**
 * Enables the endpoint of one mode, or of both. Missed events are not resent; recovery does that.
 * @throws RESOURCE_NOT_FOUND
 */
export async function enableEndpoint(
  em: EntityManager,
  { applicationId, mode = null }: { applicationId: bigint; mode?: Mode | null | undefined },
): Promise<void> {
  const rows = await em.execute<object[]>(
    `update webhook_endpoints set ${HEALTHY} where application_id = ?::bigint and mode = coalesce(?::text, mode) returning 1`,
    [applicationId, mode],
  );
  if (rows.length === 0) {
    throw notFound('application');
  }
}

export async function setApplicationStatus(
  em: EntityManager,
  applicationId: bigint,
  status: 'ACTIVE' | 'DISABLED',
): Promise<void> {
  const rows = await em.execute<object[]>(
    'update applications set status = ?, updated_at = now() where id = ? returning 1',
    [status, applicationId],
  );
  if (rows.length === 0) {
    throw notFound('application');
  }
}
