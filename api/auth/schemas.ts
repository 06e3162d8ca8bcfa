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
    .describe("The authenticator's code, where a second factor is set up. Each works once."),
  recoveryCode: z
    .string('must be text')
    .regex(/^[0-9A-Za-z]{14}$/, 'is no recovery code')
    .optional()
    .describe('Instead of `code`; each works once.'),
};

export const Login = z
  .object({
    email: Email,
    password: GivenPassword,
    ...secondFactor,
    cookie: z
      .boolean('must be true or false')
      .optional()
      .describe('`true` sets the session as a cookie instead of answering a token: for the dashboard.'),
  })
  .meta({ id: 'Login' });

export const Reauthentication = z.object({ password: GivenPassword, ...secondFactor }).meta({ id: 'Reauthentication' });

export const PasswordChange = z
  .object({
    password: GivenPassword.describe('The present one.'),
    newPassword: z
      .string('must be text')
      .max(PASSWORD_UNITS_MAX, 'is too long')
      .describe('12 to 128 characters, any; not your address or name, none of the commonest.'),
    ...secondFactor,
  })
  .meta({ id: 'PasswordChange' });

/** The operator who is logged in. */
const Self = z.object({
  id: z.int(),
  email: z.string(),
  name: z.string(),
  secondFactor: z.boolean().describe('A second factor is set up.'),
  passwordTemporary: z.boolean().describe('The password was given by somebody else and must be changed first.'),
});

export const SessionAnswer = z
  .object({
    token: z.string().nullable().describe('Send it as `Authorization: Bearer …`; null when it was set as a cookie.'),
    csrfToken: z
      .string()
      .nullable()
      .describe('Of a session by cookie: send it back as `X-CSRF-Token` with every change.'),
    expiresAt: z.iso.datetime().describe('The latest end; a session that is not used ends earlier.'),
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
          applications: z.array(z.int()).nullable().describe('Null: in every application.'),
        }),
      )
      .describe('What is held, and where.'),
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
    secret: z.string().describe('Base32, to be typed into an authenticator. Shown once.'),
    uri: z.string().describe('The same as an `otpauth:` URI, for a QR code.'),
  })
  .meta({ id: 'TotpSetup' });

export const TotpCode = z
  .object({ code: z.string('must be text').regex(/^\d{6}$/, 'must be six digits') })
  .meta({ id: 'TotpCode' });

export const RecoveryCodes = z
  .object({ recoveryCodes: z.array(z.string()).describe('Each opens the door once without a code. Shown once.') })
  .meta({ id: 'RecoveryCodes' });
