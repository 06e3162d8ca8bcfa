import type { AppView, Grant } from '../../domain/permissions.ts';
import type { Actor } from './store/audit.ts';

/** The operator for whom a use case runs. Their permission for it has been checked. */
export interface ActingOperator {
  readonly operator: { readonly id: bigint };
  readonly grants: readonly Grant[];
  /** Where they hold the permission: the argument of `withOperator`. */
  readonly view: AppView;
  /** Them, for the audit log. */
  readonly actor: Actor;
}

/** An operator with the session in which they make a request. */
export interface SessionHolder {
  readonly operator: { readonly id: bigint; readonly email: string; readonly name: string };
  readonly session: {
    readonly id: bigint;
    /** The token that came with this request. */
    readonly token: string;
  };
  /** The operator, for the audit log. */
  readonly actor: Actor;
}
