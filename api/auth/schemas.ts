import { z } from 'zod';
import { PASSWORD_UNITS_MAX } from '../../domain/password.ts';
import { PERMISSIONS } from '../../domain/permissions.ts';
import { Email } from '../http/fields.ts';

/** A password at login. The rules for new passwords do not apply: it was checked when it was chosen. */
const GivenPassword = z.string('must be text').min(1, 'must not be empty').max(PASSWORD_UNITS_MAX, 'is too long');

const secondFactor = {
  code: z
    .string('must be text')
    .regex(/^\d{6}$/, 'must be six digits')
    .optional()
    .describe('The authenticator app’s current code. Required if a second factor is set up. Each code works once.'),
  recoveryCode: z
    .string('must be text')
    .regex(/^[0-9A-Za-z]{14}$/, 'is not a recovery code')
    .optional()
    .describe('A recovery code, used instead of `code`. Each works once.'),
};

export const Login = z
  .object({
    email: Email,
    password: GivenPassword,
    ...secondFactor,
    cookie: z
      .boolean('must be true or false')
      .optional()
      .describe('If true, the session is set as a cookie instead of returned as a token. Used by the dashboard.'),
  })
  .meta({ id: 'Login' });

export const ForgottenPassword = z.object({ email: Email }).meta({ id: 'ForgottenPassword' });

export const ForgottenPasswordAnswer = z
  .object({
    passwordLink: z
      .enum(['MAILED', 'ON_SERVER'])
      .describe(
        '`MAILED`: if the address is an operator’s, a link is on its way. `ON_SERVER`: email is not configured; `npm run operator -- link` prints a link.',
      ),
  })
  .meta({ id: 'ForgottenPasswordAnswer' });

export const Reauthentication = z.object({ password: GivenPassword, ...secondFactor }).meta({ id: 'Reauthentication' });

export const PasswordChange = z
  .object({
    password: GivenPassword.describe('The current password.'),
    newPassword: z
      .string('must be text')
      .max(PASSWORD_UNITS_MAX, 'is too long')
      .describe('12 to 128 characters. Must not be your email address or name, or a common password.'),
    ...secondFactor,
  })
  .meta({ id: 'PasswordChange' });

/** The operator who is logged in. */
const Self = z.object({
  id: z.int(),
  email: z.string(),
  name: z.string(),
  secondFactor: z.boolean().describe('Whether a second factor is set up.'),
  passwordTemporary: z.boolean().describe('Whether the temporary password must be changed first.'),
});

export const SessionAnswer = z
  .object({
    token: z
      .string()
      .nullable()
      .describe('Send it as `Authorization: Bearer …`. Null when the session is set as a cookie.'),
    csrfToken: z
      .string()
      .nullable()
      .describe('For a cookie session only. Send it as `X-CSRF-Token` with every request that changes something.'),
    expiresAt: z.iso.datetime().describe('When the session ends at the latest. An idle session ends earlier.'),
    operator: Self,
  })
  .meta({ id: 'SessionAnswer' });

export const Me = z
  .object({
    operator: Self,
    session: z.object({
      id: z.int(),
      kind: z.enum(['BEARER', 'COOKIE']),
      expiresAt: z.iso.datetime(),
      reauthenticatedAt: z.iso.datetime(),
    }),
    csrfToken: z.string().nullable(),
    permissions: z
      .array(
        z.object({
          permission: z.enum(PERMISSIONS),
          applications: z.array(z.int()).nullable().describe('Null means in every application.'),
        }),
      )
      .describe('The operator’s permissions and the applications that they apply to.'),
  })
  .meta({ id: 'Me' });

export const OpenSessions = z.array(
  z
    .object({
      id: z.int(),
      kind: z.enum(['BEARER', 'COOKIE']),
      current: z.boolean(),
      address: z.string().nullable(),
      userAgent: z.string().nullable(),
      createdAt: z.iso.datetime(),
      lastSeenAt: z.iso.datetime(),
      expiresAt: z.iso.datetime(),
    })
    .meta({ id: 'OpenSession' }),
);

export const TotpSetup = z
  .object({
    secret: z.string().describe('The secret in Base32, to type into an authenticator app. Shown only once.'),
    uri: z.string().describe('The secret as an `otpauth:` URI, for a QR code.'),
  })
  .meta({ id: 'TotpSetup' });

export const TotpCode = z
  .object({ code: z.string('must be text').regex(/^\d{6}$/, 'must be six digits') })
  .meta({ id: 'TotpCode' });

export const RecoveryCodes = z
  .object({
    recoveryCodes: z.array(z.string()).describe('Recovery codes. Each replaces a code once. Shown only once.'),
  })
  .meta({ id: 'RecoveryCodes' });
