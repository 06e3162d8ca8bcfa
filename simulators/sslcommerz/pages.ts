import { escapeHtml } from '../kit/escape-html.ts';
import { noticeCard, otherEndings, payerPage } from '../kit/pages.ts';
import type { Look, Notice } from '../kit/pages.ts';
import { allowedInstruments } from './instruments.ts';
import type { Instrument } from './instruments.ts';
import type { Session } from './state.ts';

/* The names and values of the inputs are part of the simulator's contract (see the README). */

const look: Look = {
  gateway: 'SSLCOMMERZ',
  palette: {
    light: {
      ink: '#17233c',
      soft: '#53607a',
      line: '#d5dbe7',
      paper: '#fff',
      ground: '#eef1f7',
      main: '#16558f',
      bad: '#a3262a',
    },
    dark: {
      ink: '#e8ecf5',
      soft: '#aab4c8',
      line: '#3a455c',
      paper: '#1b2333',
      ground: '#111725',
      main: '#2f7cc4',
      bad: '#e2777b',
    },
  },
  style: `
.tabs { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; }
.tabs > input { position: absolute; opacity: 0; }
.tabs > label { border: 1px solid var(--line); border-radius: 8px; padding: .6rem .25rem; text-align: center; cursor: pointer; font-size: .95rem; }
.tabs > input:checked + label { border-color: var(--main); box-shadow: inset 0 0 0 1px var(--main); font-weight: 600; }
.tabs > input:focus-visible + label { outline: 3px solid var(--main); outline-offset: 2px; }
.panel { display: none; grid-column: 1 / -1; }
#channel-card:checked ~ .panel-card, #channel-wallet:checked ~ .panel-wallet, #channel-bank:checked ~ .panel-bank { display: grid; gap: .5rem; }
.choice { display: flex; gap: .75rem; align-items: center; border: 1px solid var(--line); border-radius: 8px; padding: .6rem .75rem; min-height: 3rem; cursor: pointer; }
.choice small { display: block; color: var(--soft); }
a { color: var(--main); }
`,
};

const channelLabels = { card: 'Card', wallet: 'Wallet', bank: 'Bank' } as const;

/** Returns the page where the payer chooses the instrument, with the four ways to leave. */
export function paymentPage({ session, path }: { session: Session; path: string }): string {
  const instruments = allowedInstruments(session.multiCardName);
  const channels = (['card', 'wallet', 'bank'] as const).filter((channel) =>
    instruments.some((instrument) => instrument.channel === channel),
  );
  const tabs = channels.map(
    (channel, index) =>
      `<input type="radio" name="channel" value="${channel}" id="channel-${channel}"${index === 0 ? ' checked' : ''}>` +
      `<label for="channel-${channel}">${channelLabels[channel]}</label>`,
  );
  const panels = channels.map((channel) =>
    choicePanel({ channel, instruments: instruments.filter((instrument) => instrument.channel === channel) }),
  );
  const form = `
<form class="card" method="post" action="${escapeHtml(path)}">
<fieldset><legend>Pay with</legend><div class="tabs">${tabs.join('')}${panels.join('')}</div></fieldset>
<button class="main" type="submit" name="outcome" value="pay">Pay ${escapeHtml(session.currencyAmount)} ${escapeHtml(session.currency)}</button>
${otherEndings({ value: 'cancel', text: 'Cancel' })}
</form>`;
  return page({ title: 'Pay', body: `${summary(session)}${form}` });
}

/** Returns the page for the one-time password, used if that step is enabled. */
export function otpPage({
  session,
  path,
  instrument,
}: {
  session: Session;
  path: string;
  instrument: Instrument;
}): string {
  const form = `
<form class="card" method="post" action="${escapeHtml(path)}">
<input type="hidden" name="channel" value="${instrument.channel}">
<input type="hidden" name="${instrument.channel}" value="${instrument.id}">
<label for="otp">One-time password for ${escapeHtml(instrument.label)} (111111 or 123456 is right)</label>
<input type="text" id="otp" name="otp" value="111111" inputmode="numeric" autocomplete="one-time-code" maxlength="6">
<button class="main" type="submit" name="outcome" value="pay">Confirm</button>
<button type="submit" name="outcome" value="cancel">Cancel</button>
</form>`;
  return page({ title: 'One-time password', body: `${summary(session)}${form}` });
}

/** Returns a page that sends the browser back with a form that submits itself. Without JavaScript, the payer uses its button. */
export function returnPage(given: {
  session: Session;
  action: string;
  fields: readonly [string, string][];
  heading: string;
}): string {
  const inputs = given.fields.map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  const form = `
<form class="card" id="return" method="post" action="${escapeHtml(given.action)}">
<h1>${escapeHtml(given.heading)}</h1><p class="soft">You are being sent back to ${escapeHtml(given.session.storeId)}.</p>
${inputs.join('\n')}
<button class="main" type="submit">Continue to the merchant</button>
</form><script src="/EasyCheckOut/continue.js"></script>`;
  return page({ title: given.heading, body: `${summary(given.session)}${form}` });
}

/** Returns a final page, from which no link leads to the merchant. */
export function noticePage({ session, ...notice }: Notice & { session?: Session }): string {
  return page({ title: notice.heading, body: `${session ? summary(session) : ''}${noticeCard(notice)}` });
}

/** Submits the return form. It is a separate file so that the pages need no inline script. */
export const continueScript = `document.getElementById('return')?.submit();\n`;

function choicePanel({
  channel,
  instruments,
}: {
  channel: Instrument['channel'];
  instruments: readonly Instrument[];
}): string {
  const choices = instruments.map(
    (instrument, index) =>
      `<label class="choice"><input type="radio" name="${channel}" value="${instrument.id}"${index === 0 ? ' checked' : ''}>` +
      `<span>${escapeHtml(instrument.label)}<small>${escapeHtml(instrument.detail)}</small></span></label>`,
  );
  return `<div class="panel panel-${channel}">${choices.join('')}</div>`;
}

function summary(session: Session): string {
  const taka =
    session.currency === 'BDT'
      ? ''
      : `<p class="soft">${escapeHtml(session.amount)} BDT at ${escapeHtml(session.rate)}</p>`;
  return `
<section class="card"><h1>${escapeHtml(session.storeId)}</h1>
<p class="amount">${escapeHtml(session.currencyAmount)} ${escapeHtml(session.currency)}</p>${taka}
<p class="soft">${escapeHtml(session.productName)}</p><p class="soft">Transaction ${escapeHtml(session.tranId)}</p></section>`;
}

function page(content: { title: string; body: string }): string {
  return payerPage(look, content);
}
