import { defineEntity, p } from '@mikro-orm/core';
import type { ApprovalKind } from '../../domain/approval.ts';
import { MODES } from '../../domain/mode.ts';
import { CHANGE_KINDS, STORED_CHANGE_STATUSES, type ChangeTarget } from '../../domain/pending-change.ts';

const updatedAt = () =>
  p
    .datetime()
    .defaultRaw('now()')
    .onUpdate(() => new Date());

export const OperatorSchema = defineEntity({
  name: 'Operator',
  tableName: 'operators',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    email: p.text(),
    name: p.text(),
    /** Null until the first link is used. */
    passwordHash: p.text().nullable(),
    passwordChangedAt: p.datetime().defaultRaw('now()'),
    /** True if another person set it. */
    passwordTemporary: p.boolean().default(false),
    status: p.text().$type<'ACTIVE' | 'DISABLED'>().default('ACTIVE'),
    /** Sealed. */
    totpSecret: p.text().nullable(),
    totpConfirmedAt: p.datetime().nullable(),
    totpLastStep: p.bigint('bigint').nullable(),
    lastLoginAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: updatedAt(),
  },
});
export class Operator extends OperatorSchema.class {}
OperatorSchema.setClass(Operator);

export const OperatorRecoveryCodeSchema = defineEntity({
  name: 'OperatorRecoveryCode',
  tableName: 'operator_recovery_codes',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    operatorId: p.bigint('bigint'),
    /** The same for all codes of a set. */
    salt: p.uint8array(),
    codeHash: p.uint8array(),
    usedAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class OperatorRecoveryCode extends OperatorRecoveryCodeSchema.class {}
OperatorRecoveryCodeSchema.setClass(OperatorRecoveryCode);

export const OperatorSessionSchema = defineEntity({
  name: 'OperatorSession',
  tableName: 'operator_sessions',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    operatorId: p.bigint('bigint'),
    tokenHash: p.uint8array(),
    kind: p.text().$type<'BEARER' | 'COOKIE'>(),
    address: p.text().nullable(),
    userAgent: p.text().nullable(),
    reauthenticatedAt: p.datetime().defaultRaw('now()'),
    lastSeenAt: p.datetime().defaultRaw('now()'),
    expiresAt: p.datetime(),
    endedAt: p.datetime().nullable(),
    endedReason: p.text().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class OperatorSession extends OperatorSessionSchema.class {}
OperatorSessionSchema.setClass(OperatorSession);

export const LoginThrottleSchema = defineEntity({
  name: 'LoginThrottle',
  tableName: 'login_throttles',
  properties: {
    subject: p.uint8array().primary(),
    failures: p.integer(),
    blockedUntil: p.datetime().nullable(),
    lastFailureAt: p.datetime(),
  },
});
export class LoginThrottle extends LoginThrottleSchema.class {}
LoginThrottleSchema.setClass(LoginThrottle);

export const RoleSchema = defineEntity({
  name: 'Role',
  tableName: 'roles',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    name: p.text(),
    description: p.text().default(''),
    seeded: p.boolean().default(false),
    everything: p.boolean().default(false),
    permissions: p.array().default([]),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: updatedAt(),
  },
});
export class Role extends RoleSchema.class {}
RoleSchema.setClass(Role);

export const OperatorGrantSchema = defineEntity({
  name: 'OperatorGrant',
  tableName: 'operator_grants',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    operatorId: p.bigint('bigint'),
    roleId: p.bigint('bigint'),
    /** Null: in every application. */
    applicationId: p.bigint('bigint').nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class OperatorGrant extends OperatorGrantSchema.class {}
OperatorGrantSchema.setClass(OperatorGrant);

export const SettingSchema = defineEntity({
  name: 'Setting',
  tableName: 'settings',
  properties: {
    name: p.text().primary(),
    value: p.json<unknown>(),
    updatedAt: updatedAt(),
  },
});
export class Setting extends SettingSchema.class {}
SettingSchema.setClass(Setting);

export const ACTOR_TYPES = ['USER', 'APP', 'SYSTEM'] as const;
export type ActorType = (typeof ACTOR_TYPES)[number];

export const AuditLogSchema = defineEntity({
  name: 'AuditLog',
  tableName: 'audit_logs',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    actorType: p.enum(ACTOR_TYPES),
    actorId: p.bigint('bigint').nullable(),
    actor: p.text(),
    action: p.text(),
    targetType: p.text(),
    targetId: p.text(),
    applicationId: p.bigint('bigint').nullable(),
    mode: p.enum(MODES).nullable(),
    address: p.text().nullable(),
    requestId: p.text().nullable(),
    details: p.json<Record<string, unknown>>().default('{}'),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class AuditLog extends AuditLogSchema.class {}
AuditLogSchema.setClass(AuditLog);

/** The one-time link by which an operator sets a password, and the outbox of its email. */
export const OperatorLinkSchema = defineEntity({
  name: 'OperatorLink',
  tableName: 'operator_links',
  properties: {
    operatorId: p.bigint('bigint').primary().autoincrement(false),
    tokenHash: p.uint8array().nullable(),
    expiresAt: p.datetime().nullable(),
    /** Null: no email is to be sent. */
    emailDueAt: p.datetime().nullable(),
    emailTries: p.integer().default(0),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class OperatorLink extends OperatorLinkSchema.class {}
OperatorLinkSchema.setClass(OperatorLink);

/** What waits for an operator's decision, told by email once. */
export const ApprovalNoticeSchema = defineEntity({
  name: 'ApprovalNotice',
  tableName: 'approval_notices',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    operatorId: p.bigint('bigint'),
    kind: p.text().$type<ApprovalKind>(),
    subjectId: p.bigint('bigint'),
    /** Null: no email is to be sent. */
    emailDueAt: p.datetime().nullable(),
    emailTries: p.integer().default(0),
    mailedAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class ApprovalNotice extends ApprovalNoticeSchema.class {}
ApprovalNoticeSchema.setClass(ApprovalNotice);

/** A change that waits for a second person. */
export const PendingChangeSchema = defineEntity({
  name: 'PendingChange',
  tableName: 'pending_changes',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    applicationId: p.bigint('bigint').nullable(),
    mode: p.enum(MODES).nullable(),
    kind: p.enum(CHANGE_KINDS),
    targetType: p.text().$type<ChangeTarget['type']>(),
    targetId: p.text(),
    before: p.json<Record<string, unknown>>(),
    after: p.json<Record<string, unknown>>(),
    fingerprint: p.text().nullable(),
    /** Sealed. Operators can write it but not read it. */
    secret: p.text().nullable().lazy(),
    status: p.enum(STORED_CHANGE_STATUSES).default('PENDING'),
    proposedByOperatorId: p.bigint('bigint'),
    decidedByOperatorId: p.bigint('bigint').nullable(),
    reason: p.text().nullable(),
    expiresAt: p.datetime().defaultRaw("now() + interval '7 days'"),
    decidedAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
});
export class PendingChange extends PendingChangeSchema.class {}
PendingChangeSchema.setClass(PendingChange);

/** A row to lock while the sum of what an operator did in an application is read and added to. */
export const ActingOperatorSchema = defineEntity({
  name: 'ActingOperator',
  tableName: 'acting_operators',
  properties: {
    applicationId: p.bigint('bigint').primary(),
    mode: p.enum(MODES).primary(),
    operatorId: p.bigint('bigint').primary(),
    actedAt: p.datetime().defaultRaw('now()'),
  },
});
export class ActingOperator extends ActingOperatorSchema.class {}
ActingOperatorSchema.setClass(ActingOperator);
