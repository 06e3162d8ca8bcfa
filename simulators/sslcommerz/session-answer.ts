import type { Answer } from './answers.ts';
import type { Gateway } from './gateway.ts';
import { allowedInstruments } from './instruments.ts';
import type { Session } from './state.ts';

const noGateways = { visa: '', master: '', amex: '', othercards: '', internetbanking: '', mobilebanking: '' };

/** Returns the refusal of a session. It is also HTTP 200, with every member present and empty. */
export function sessionFailed(reason: string): Answer {
  return { status: 'FAILED', failedreason: reason, sessionkey: '', gw: noGateways, ...emptyLinks, desc: [] };
}

const emptyLinks = {
  redirectGatewayURL: '',
  directPaymentURLBank: '',
  directPaymentURLCard: '',
  directPaymentURL: '',
  redirectGatewayURLFailed: '',
  GatewayPageURL: '',
  storeBanner: '',
  storeLogo: '',
  store_name: '',
  is_direct_pay_enable: '0',
};

/** Returns the answer for a created session, with the URL of the page for the payer. */
export function sessionMade(gateway: Gateway, session: Session): Answer {
  const channel = (cardName: string): string =>
    `${gateway.publicUrl}/gwprocess/v4/bankgw/indexhtml.php?mamount=${session.amount}&ssl_id=${session.key}` +
    `&Q=REDIRECT&SESSIONKEY=${session.key}&tran_type=success&cardname=${cardName}`;
  return {
    status: 'SUCCESS',
    failedreason: '',
    sessionkey: session.key,
    gw: gatewayKeys(session),
    ...emptyLinks,
    redirectGatewayURL: channel(''),
    GatewayPageURL: checkoutUrl(gateway, session),
    store_name: session.storeId,
    desc: describe(session, channel),
  };
}

/** Returns the hosted page's URL in the form that the real sandbox has used since 2021. */
function checkoutUrl(gateway: Gateway, session: Session): string {
  return `${gateway.publicUrl}${checkoutPath(session)}`;
}

export function checkoutPath(session: Session): string {
  return `/EasyCheckOut/testcde${session.key.toLowerCase()}`;
}

const describedTypes: Readonly<Record<string, string>> = {
  visa: 'visa',
  mastercard: 'master',
  amex: 'amex',
  bkash: 'mobilebanking',
  rocket: 'mobilebanking',
  upay: 'mobilebanking',
  city: 'internetbanking',
  abbank: 'internetbanking',
};

function gatewayKeys(session: Session): Answer {
  const keys: Record<string, string> = { ...noGateways };
  for (const instrument of allowedInstruments(session.multiCardName)) {
    const type = describedTypes[instrument.id] ?? 'othercards';
    keys[type] = [keys[type], instrument.keys[0]].filter(Boolean).join(',');
  }
  return keys;
}

function describe(session: Session, channel: (cardName: string) => string): Answer[] {
  return allowedInstruments(session.multiCardName).map((instrument) => ({
    name: instrument.label,
    type: describedTypes[instrument.id] ?? 'othercards',
    logo: '',
    gw: instrument.keys[0] ?? '',
    r_flag: '1',
    redirectGatewayURL: channel(instrument.keys[0] ?? ''),
  }));
}
