import type { Mode } from '../../../domain/mode.ts';
import type { ActorType } from '../../../database/entities/operator.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';

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

interface Written {
  readonly actorType: ActorType;
  readonly actorId: bigint | null;
  readonly actor: string;
  readonly action: string;
  readonly targetType: string;
  readonly targetId: string;
  readonly applicationId: bigint | null;
  readonly mode: Mode | null;
  readonly address: string | null;
  readonly requestId: string | null;
  /** JSON. */
  readonly details: string;
}

// Without `returning`, since an operator may write entries that their view does not include.
const WRITE = statement((db, $: Given<Written>) =>
  db.insertInto('audit_logs').values((eb) => ({
    actorType: $('actorType'),
    actorId: $('actorId'),
    actor: $('actor'),
    action: $('action'),
    targetType: $('targetType'),
    targetId: $('targetId'),
    applicationId: $('applicationId'),
    mode: $('mode'),
    address: $('address'),
    requestId: $('requestId'),
    details: eb.cast<Record<string, unknown>>($('details'), 'jsonb'),
  })),
);

/** Writes an entry in the transaction of the change itself, so that neither is stored without the other. */
export async function recordAudit(statements: Statements, entry: AuditEntry): Promise<void> {
  const { actor, action, target, application, before, after, reason } = entry;
  await WRITE.all(statements, {
    actorType: actor.type,
    actorId: actor.id,
    actor: actor.name,
    action,
    targetType: target.type,
    targetId: String(target.id),
    applicationId: application?.id ?? null,
    mode: application?.mode ?? null,
    address: actor.address ?? null,
    requestId: actor.requestId ?? null,
    details: JSON.stringify({ before, after, reason }, (_name, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    ),
  });
}
