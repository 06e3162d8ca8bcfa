import type { ReadEvidence } from '../database/ledger/verify-payments.ts';
import { chargeFrom, isPaidStatus, TransactionAnswer } from '../gateways/sslcommerz/answers.ts';
import { SSLCOMMERZ_CAPABILITIES } from '../gateways/sslcommerz/gateway.ts';

/** Each gateway's stored answer, read by the same code that read it when it arrived. */
export const readEvidence: ReadEvidence = ({ gateway, text }) => {
  if (gateway !== SSLCOMMERZ_CAPABILITIES.name) {
    return null;
  }
  const answer = TransactionAnswer.safeParse(parseJson(text));
  return answer.success && isPaidStatus(answer.data.status) ? chargeFrom(answer.data, text) : null;
};

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
