import type { Json } from '../http/openapi/schemas.ts';

const AT = '2026-06-04T10:00:01.000Z';
const LATER = '2026-06-04T18:00:01.000Z';
const TOKEN = 'ops_Qm9yZWFsIGdyZWVuIGhlcm9ucyB3YWRlIGhlcmUgYXQgZGF3bg';
const RECOVERY_CODES = ['s9Kd2LmQ0aXw7L', 'Vb2mNs8D3f9KZt'];

const savedView = {
  page: 'payments',
  mode: 'LIVE',
  name: 'Failed today',
  query: 'status=FAILED&from=2026-06-04',
};

const self = { id: 7, email: 'asha@example.com', name: 'Asha Rahman', secondFactor: true, passwordTemporary: false };

const operator = {
  ...self,
  status: 'ACTIVE',
  passwordSet: true,
  lastLoginAt: AT,
  roles: [{ roleId: 3, name: 'Finance', applicationId: 42 }],
  pendingChanges: [],
  createdAt: AT,
  updatedAt: AT,
} satisfies Json;

const pendingChange = {
  id: 12,
  applicationId: 42,
  mode: null,
  kind: 'application-settings',
  target: { type: 'application', id: '42' },
  before: { webhookUrl: 'https://shop.example/hooks/lenden' },
  after: { webhookUrl: 'https://hooks.shop.example/lenden' },
  status: 'PENDING',
  proposedBy: 'operator:7',
  decidedBy: null,
  reason: null,
  expiresAt: '2026-06-11T10:00:01.000Z',
  decidedAt: null,
  createdAt: AT,
} satisfies Json;

const grants = [{ roleId: 3, applicationId: 42 }];
const role = { name: 'Night shift', description: 'Handles payments at night', permissions: ['payment:read'] };

/** Examples of the operators' API by schema name. */
export const OPERATOR_EXAMPLES: Readonly<Record<string, Json>> = {
  Login: { email: self.email, password: 'three-quiet-herons-wade', code: '287082' },
  ForgottenPassword: { email: self.email },
  ForgottenPasswordAnswer: { passwordLink: 'MAILED' },
  Reauthentication: { password: 'three-quiet-herons-wade' },
  PasswordChange: { password: 'three-quiet-herons-wade', newPassword: 'four loud geese on a roof' },
  SessionAnswer: { token: TOKEN, csrfToken: null, expiresAt: LATER, operator: self },
  Me: {
    operator: self,
    session: { id: 310, kind: 'BEARER', expiresAt: LATER, reauthenticatedAt: AT },
    csrfToken: null,
    permissions: [
      { permission: 'payment:read', applications: [42] },
      { permission: 'report:read', applications: null },
    ],
  },
  OpenSession: {
    id: 310,
    kind: 'BEARER',
    current: true,
    address: '203.0.113.9',
    userAgent: 'curl/8.14.1',
    createdAt: AT,
    lastSeenAt: AT,
    expiresAt: LATER,
  },
  TotpSetup: {
    secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
    uri: 'otpauth://totp/Lenden:asha%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Lenden&algorithm=SHA1&digits=6&period=30',
  },
  TotpCode: { code: '287082' },
  RecoveryCodes: { recoveryCodes: RECOVERY_CODES },
  Operator: operator,
  CreateOperator: { email: self.email, name: self.name, grants },
  LinkedOperator: {
    operator: { ...operator, secondFactor: false, passwordSet: false, lastLoginAt: null },
    passwordLink: 'MAILED',
  },
  PendingChange: pendingChange,
  Grants: { grants },
  EndedSessions: { ended: 2 },
  Permission: { permission: 'payment:read', meaning: 'View payments, their attempts and their state' },
  RoleBody: role,
  Role: { id: 6, ...role, seeded: false, everything: false, pendingChanges: [], createdAt: AT, updatedAt: AT },
  SavedView: { id: 12, ...savedView, createdAt: AT, updatedAt: AT },
  CreateSavedView: savedView,
  ChangeSavedView: { name: 'Failed this week' },
  Settings: { secondFactorRequired: true },
  AuditEntry: {
    id: 9001,
    actorType: 'USER',
    actorId: 7,
    actor: self.email,
    action: 'role.created',
    targetType: 'role',
    targetId: '6',
    applicationId: null,
    mode: null,
    address: '203.0.113.9',
    requestId: '0b8f6c1e-5d0a-4f0e-9d0e-2f3c8f0d7a11',
    details: { after: role },
    createdAt: AT,
  },
  Pagination: { page: 0, size: 20, totalElements: 137, totalPages: 7, nextCursor: null },
};
