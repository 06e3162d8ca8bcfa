import { isInView, viewFor, type Grant, type Permission } from './permissions.ts';

/** What a person proposes, asks for or writes, and another person has to decide. */
export const APPROVAL_KINDS = ['REFUND', 'DECISION', 'MANUAL_SUBMISSION', 'CHANGE', 'CASE_ACTION'] as const;
export type ApprovalKind = (typeof APPROVAL_KINDS)[number];

/** Where an operator can decide something, and as whom they cannot. */
export interface ToApprove {
  readonly permission: Permission;
  /** Null: the installation's own. */
  readonly applicationId: bigint | null;
  /** The operator who asked for it. Null: an application or a payer. */
  readonly askedById: bigint | null;
}

export function mayApprove(
  operator: { readonly id: bigint; readonly grants: readonly Grant[] },
  { permission, applicationId, askedById }: ToApprove,
): boolean {
  const view = viewFor(operator.grants, permission);
  return operator.id !== askedById && (applicationId === null ? view === 'every-app' : isInView(view, applicationId));
}
