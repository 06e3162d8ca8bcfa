import { z } from 'zod';
import { MODES } from '../../domain/mode.ts';
import { IdText } from '../http/fields.ts';
import { listQuery } from '../http/paging.ts';
import { ModeFilter, Moment } from './filters.ts';
import { MinorSum } from './schemas.ts';

const At = Moment.optional().describe(
  'Balances at this instant; for a date, at its end in UTC. Without it, balances now.',
);
const ACCOUNT_FILTER = {
  applicationId: IdText.optional(),
  mode: ModeFilter.optional().describe('LIVE unless given.'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code in upper case')
    .optional(),
  account: z
    .string()
    .regex(/^[a-z]+(:[a-z0-9-]+)*$/, 'is not the name of an account')
    .max(100)
    .optional()
    .describe('The name of an account, such as `app:payable`: what each application is owed.'),
  at: At,
};
export const AccountsQuery = z.object({ ...listQuery(['id']), ...ACCOUNT_FILTER });
export const TrialBalanceQuery = z.object(ACCOUNT_FILTER);
export const AccountQuery = z.object({ at: At });
const PERIOD = {
  from: Moment.optional().describe('Only postings recorded at or after this time. A date starts at midnight UTC.'),
  to: Moment.optional().describe('Only postings recorded at or before this time. A date includes the whole day.'),
};
export const EntriesQuery = z.object({ ...listQuery(['id']), ...PERIOD });
export const EntriesExportQuery = z.object(PERIOD);

const SUMS = {
  debitMinor: MinorSum.describe('The sum of all postings that debit the account, in minor units as text, as all sums.'),
  creditMinor: MinorSum.describe('The sum of all postings that credit the account.'),
  balanceMinor: MinorSum.describe('On the normal side; negative if the other side is larger.'),
};
const NormalSide = z.enum(['debit', 'credit']);

export const LedgerAccount = z
  .object({
    id: z.int(),
    applicationId: z.int(),
    applicationName: z.string(),
    mode: z.enum(MODES),
    currency: z.string(),
    account: z.string(),
    normalSide: NormalSide,
    ...SUMS,
  })
  .meta({ id: 'LedgerAccount' });

export const LedgerEntry = z
  .object({
    id: z.int().describe('Of the posting.'),
    transactionId: z.int().describe('Of the journal entry that it belongs to.'),
    kind: z.string(),
    cause: z.object({ type: z.string(), id: z.string() }),
    reversesId: z.int().nullable().describe('The journal entry that this one reverses.'),
    otherAccount: z.string(),
    debitMinor: MinorSum,
    creditMinor: MinorSum,
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'LedgerEntry' });

export const TrialBalance = z
  .object({
    mode: z.enum(MODES),
    at: z.string().nullable().describe('As requested; null for now.'),
    currencies: z.array(
      z.object({
        currency: z.string(),
        debitMinor: MinorSum,
        creditMinor: MinorSum,
        balanced: z
          .boolean()
          .describe('Whether the two sums are equal. They always are, unless somebody changed the ledger.'),
        accounts: z.array(z.object({ account: z.string(), normalSide: NormalSide, ...SUMS })),
      }),
    ),
  })
  .meta({ id: 'TrialBalance' });

export const LedgerProof = z
  .object({
    seal: z
      .object({
        number: z.int(),
        hash: z.string().describe('Of the whole chain up to this seal, in hexadecimal.'),
        transactions: z.int().describe('How many journal entries the chain covers.'),
        sealedAt: z.iso.datetime(),
      })
      .nullable()
      .describe('The last seal of the hash chain; null before the first one.'),
    unsealedSince: z.iso
      .datetime()
      .nullable()
      .describe(
        'When the oldest journal entry that is not sealed was posted; null if every one is. The sealer runs every half minute.',
      ),
    verification: z
      .object({
        verifiedAt: z.iso.datetime(),
        findingCount: z.int().describe('0: the ledger was proven.'),
        firstFinding: z
          .string()
          .nullable()
          .describe('In words, for operators who see every application; null for others, and without a finding.'),
        sealNumber: z.int().nullable().describe('The last seal that was verified.'),
        transactions: z.int().describe('How many sealed journal entries were verified.'),
        witnesses: z
          .int()
          .nullable()
          .describe('How many heads that the sealer recorded in Temporal were compared; null if it was not asked.'),
        queriedCharges: z
          .int()
          .nullable()
          .describe('How many charges were queried at their gateways; null if none was.'),
      })
      .nullable()
      .describe('What `npm run verify` found when it last ran; null if it never did.'),
  })
  .meta({ id: 'LedgerProof' });
