import type { Mode } from '../../../domain/mode.ts';
import type { ActorType } from '../../../database/entities/operator.ts';
import type { Statements } from '../../../database/statements.ts';

/** Who did it, with their name at that time. */
export interface Actor {
  readonly type: ActorType;
  readonly id: bigint | null;
  /** An email address, an application's name or a process; `unknown` for an unauthenticated caller. */
  readonly name: string;
  /** The client's address, if there is one. */
  readonly address?: string | null;
  readonly requestId?: string | null;
}

export const SYSTEM_ACTOR: Actor = { type: 'SYSTEM', id: null, name: 'lenden' };

/** What was done. No member may contain a secret, a password, a code or a payer's data. */
export interface AuditEntry {
  readonly actor: Actor;
  /** `{what}.{happened}`, such as `operator.disabled`. Published, since filters use it. */
  readonly action: string;
  readonly target: { readonly type: string; readonly id: string | bigint };
  /** Set if the target belongs to an application: operators who may read the log there see the entry. */
  readonly application?: { readonly id: bigint; readonly mode?: Mode | null };
  readonly before?: AuditFacts;
  readonly after?: AuditFacts;
  readonly reason?: string;
}

export type AuditFact = string | number | boolean | bigint | Date | null | readonly AuditFact[] | AuditFacts;
export interface AuditFacts {
  readonly [name: string]: AuditFact;
}

/** Writes an entry in the transaction of the change itself, so that neither is stored without the other. */
export async function recordAudit(em: Statements, entry: AuditEntry): Promise<void> {
  const { actor, action, target, application, before, after, reason } = entry;
  // Without `returning`, since an operator may write entries that their view does not include.
  await em.execute(
    `insert into audit_logs (actor_type, actor_id, actor, action, target_type, target_id, application_id, mode, address, request_id, details)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb)`,
    [
      actor.type,
      actor.id,
      actor.name,
      action,
      target.type,
      String(target.id),
      application?.id ?? null,
      application?.mode ?? null,
      actor.address ?? null,
      actor.requestId ?? null,
      JSON.stringify({ before, after, reason }, (_name, value: unknown) =>
        typeof value === 'bigint' ? value.toString() : value,
      ),
    ],
  );
}
