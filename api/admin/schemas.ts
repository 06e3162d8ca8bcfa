import { z } from 'zod';
import { ACTOR_TYPES } from '../../database/entities/operator.ts';
import { MODES } from '../../domain/mode.ts';
import { PERMISSIONS } from '../../domain/permissions.ts';
import { Email, freeText, IdText } from '../http/fields.ts';
import { listQuery, numberedListQuery } from '../http/paging.ts';
import { PendingChanges } from './change-schemas.ts';
import { Moment } from './filters.ts';
import { OPERATOR_SORTS } from '../../core/operators/store/operators.ts';
import { ROLE_SORTS } from '../../core/operators/store/roles.ts';

const Id = z
  .int('must be a plain integer')
  .min(1, 'must be greater than 0')
  .max(Number.MAX_SAFE_INTEGER, 'is too large');
const GRANTS_MAX = 100;

const Grants = z
  .array(
    z.object({
      roleId: Id,
      applicationId: Id.nullable()
        .default(null)
        .describe('Null grants the role in every application, including future ones.'),
    }),
    'must be a list',
  )
  .max(GRANTS_MAX, `must be at most ${GRANTS_MAX}`)
  .refine(
    (grants) => new Set(grants.map(({ roleId, applicationId }) => `${roleId} ${applicationId}`)).size === grants.length,
    'names a grant twice',
  );

export const GrantsBody = z.object({ grants: Grants }).meta({ id: 'Grants' });

export const Operator = z
  .object({
    id: z.int(),
    email: z.string(),
    name: z.string(),
    status: z.enum(['ACTIVE', 'DISABLED']),
    secondFactor: z.boolean(),
    passwordTemporary: z
      .boolean()
      .describe('True until the operator changes the temporary password set on the server.'),
    passwordSet: z.boolean().describe('False until the operator uses their first link.'),
    lastLoginAt: z.iso.datetime().nullable(),
    roles: z.array(
      z.object({
        roleId: z.int(),
        name: z.string(),
        applicationId: z.int().nullable().describe('Null means in every application.'),
      }),
    ),
    pendingChanges: PendingChanges,
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Operator' });

export const CreateOperator = z
  .object({ email: Email, name: freeText(120), grants: Grants.default([]) })
  .meta({ id: 'CreateOperator' });

const PasswordLink = z
  .enum(['MAILED', 'ON_SERVER', 'WAITING'])
  .describe(
    'How the operator receives the one-time link that sets their password. `MAILED`: by email, valid for 24 hours. `ON_SERVER`: email is not configured; `npm run operator -- link` prints the link. `WAITING`: a second operator must confirm first.',
  );

/** An operator and how they receive their link. No response contains the link itself. */
export const LinkedOperator = z
  .object({ operator: Operator, passwordLink: PasswordLink })
  .meta({ id: 'LinkedOperator' });

export const OperatorsQuery = z.object({
  ...numberedListQuery(OPERATOR_SORTS),
  status: z.enum(['ACTIVE', 'DISABLED'], 'must be ACTIVE or DISABLED').optional(),
  email: Email.optional(),
});

export const PermissionList = z.array(
  z.object({ permission: z.enum(PERMISSIONS), meaning: z.string() }).meta({ id: 'Permission' }),
);

export const Role = z
  .object({
    id: z.int(),
    name: z.string(),
    description: z.string(),
    seeded: z.boolean().describe('Built in; cannot be changed.'),
    everything: z.boolean().describe('Has every permission, including future ones.'),
    permissions: z.array(z.enum(PERMISSIONS)),
    pendingChanges: PendingChanges,
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Role' });

export const RoleBody = z
  .object({
    name: freeText(60),
    description: freeText(300).optional(),
    permissions: z
      .array(z.enum(PERMISSIONS, 'is not a permission'), 'must be a list')
      .max(PERMISSIONS.length, 'has too many members')
      .meta({ uniqueItems: true })
      .refine((permissions) => new Set(permissions).size === permissions.length, 'names a permission twice'),
  })
  .meta({ id: 'RoleBody' });

export const RolesQuery = z.object(numberedListQuery(ROLE_SORTS));

export const Settings = z
  .object({
    secondFactorRequired: z
      .boolean('must be true or false')
      .describe('If true, operators without a second factor can only set one up.'),
  })
  .meta({ id: 'Settings' });

export const EndedSessions = z.object({ ended: z.int() }).meta({ id: 'EndedSessions' });

export const AuditEntry = z
  .object({
    id: z.int(),
    actorType: z.enum(ACTOR_TYPES),
    actorId: z.int().nullable(),
    actor: z.string().describe('The actor’s name at the time.'),
    action: z.string(),
    targetType: z.string(),
    targetId: z.string(),
    applicationId: z.int().nullable(),
    mode: z.enum(MODES).nullable(),
    address: z.string().nullable(),
    requestId: z.string().nullable(),
    details: z.record(z.string(), z.unknown()).describe('Contains `before`, `after` and `reason` where they apply.'),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'AuditEntry' });

const Word = z.string().regex(/^[\w.:@-]{1,120}$/, 'is not a valid name');

export const AuditLogQuery = z.object({
  ...listQuery(['createdAt']),
  actorType: z.enum(ACTOR_TYPES, 'is not a type of actor').optional(),
  actorId: IdText.optional(),
  action: Word.optional().describe(
    'An action, such as `role.changed`, or the word before its dot, such as `role`, for all of its actions.',
  ),
  targetType: Word.optional(),
  targetId: z
    .string()
    .regex(/^[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?$/, 'is not a valid id')
    .optional(),
  from: Moment.optional().describe('Only entries written at or after this time. A date starts at midnight UTC.'),
  to: Moment.optional().describe('Only entries written at or before this time. A date includes the whole day.'),
});

/** A sum in minor units as text, because a sum may be larger than a JSON integer. */
export const MinorSum = z.string().regex(/^-?\d+$/);
