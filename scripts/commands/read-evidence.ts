import type { ReadEvidence } from '../../core/ledger/verify/verify-payments.ts';
import { chargeFrom as chargeFromBkash, PaymentAnswer } from '../../gateways/bkash/answers.ts';
import { BKASH_CAPABILITIES } from '../../gateways/bkash/gateway.ts';
import { parseJson } from '../../gateways/json.ts';
import { readEvidence as readManual } from '../../gateways/manual/evidence.ts';
import { MANUAL_CAPABILITIES } from '../../gateways/manual/gateway.ts';
import { answerOf, Verification } from '../../gateways/nagad/answers.ts';
import { NAGAD_CAPABILITIES } from '../../gateways/nagad/gateway.ts';
import { chargeFrom, isPaidStatus, TransactionAnswer } from '../../gateways/sslcommerz/answers.ts';
import { SSLCOMMERZ_CAPABILITIES } from '../../gateways/sslcommerz/gateway.ts';
import {
  chargeFrom as chargeFromStripe,
  isPaid as isPaidStripe,
  SessionAnswer,
} from '../../gateways/stripe/answers.ts';
import { STRIPE_CAPABILITIES } from '../../gateways/stripe/gateway.ts';

const READERS: ReadonlyMap<string, (text: string) => ReturnType<ReadEvidence>> = new Map([
  [SSLCOMMERZ_CAPABILITIES.name, readSslcommerz],
  [BKASH_CAPABILITIES.name, readBkash],
  [NAGAD_CAPABILITIES.name, readNagad],
  [MANUAL_CAPABILITIES.name, readManual],
  [STRIPE_CAPABILITIES.name, readStripe],
]);

/** Parses a gateway's stored answer with the same code that parsed it on arrival. */
export const readEvidence: ReadEvidence = ({ gateway, text }) => READERS.get(gateway)?.(text) ?? null;

function readSslcommerz(text: string): ReturnType<ReadEvidence> {
  const answer = TransactionAnswer.safeParse(parseJson(text));
  return answer.success && isPaidStatus(answer.data.status) ? chargeFrom(answer.data, text) : null;
}

function readBkash(text: string): ReturnType<ReadEvidence> {
  const answer = PaymentAnswer.safeParse(parseJson(text));
  const completed = answer.success && answer.data.transactionStatus.toLowerCase() === 'completed';
  return completed && answer.data.trxID !== '' ? chargeFromBkash(answer.data, text) : null;
}

function readNagad(text: string): ReturnType<ReadEvidence> {
  const said = Verification.safeParse(parseJson(text));
  const answer = said.success ? answerOf(said.data, text) : null;
  return answer?.kind === 'charged' ? answer.charge : null;
}

function readStripe(text: string): ReturnType<ReadEvidence> {
  const answer = SessionAnswer.safeParse(parseJson(text));
  return answer.success && isPaidStripe(answer.data) ? chargeFromStripe(answer.data, text) : null;
}
