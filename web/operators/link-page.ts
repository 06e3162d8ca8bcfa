import { html, type Html } from '../html.ts';
import { SafeUrl } from '../safe-url.ts';
import { layout } from '../frame/layout.ts';
import { symbol } from '../frame/symbol.ts';

/** Why a password was rejected. */
export const LINK_PROBLEMS = {
  length: 'Choose a password of 12 to 128 characters.',
  common: 'This password is too common. Choose another one.',
  personal: 'Your password must not be made of your email address or name.',
  different: 'The two passwords are not the same.',
} as const;
export type LinkProblem = keyof typeof LINK_PROBLEMS;

export type LinkState =
  | { readonly kind: 'open'; readonly email: string; readonly action: string; readonly problem: LinkProblem | null }
  | { readonly kind: 'set' }
  /** Used, expired, replaced by a newer one, or never issued. */
  | { readonly kind: 'gone' };

/** Renders the page where an operator sets a password. It is in English, like everything for operators. */
export function renderLinkPage(state: LinkState): string {
  const title = TITLES[state.kind];
  return layout({
    title,
    language: 'en',
    pagePath: '/',
    test: false,
    state: `operator-link-${state.kind}`,
    refreshSeconds: null,
    oneLanguage: true,
    main: html`<article>${mainOf(state, title)}</article>`,
  });
}

const TITLES = {
  open: 'Set your password',
  set: 'Your password is set',
  gone: 'This link no longer works',
} as const;

function mainOf(state: LinkState, title: string): Html {
  switch (state.kind) {
    case 'open':
      return form(state, title);
    case 'set':
      return html`${symbol('done', 'good')}
        <h1>${title}</h1>
        <p>You can log in with it now. All your other sessions have ended.</p>`;
    case 'gone':
      return html`${symbol('cross', 'calm')}
        <h1>${title}</h1>
        <p>A link works once, within 24 hours, and only the newest link works. Ask an administrator for a new one.</p>`;
  }
}

/** The form contains the address, so that a password manager stores it with the password. */
function form({ email, action, problem }: Extract<LinkState, { kind: 'open' }>, title: string): Html {
  return html`<h1>${title}</h1>
    <p>For <bdi>${email}</bdi>.</p>
    ${problem !== null && html`<p class="notice" role="alert">${LINK_PROBLEMS[problem]}</p>`}
    <form method="post" action="${SafeUrl.localPath(action)}">
      <input type="hidden" name="username" value="${email}" autocomplete="username" />
      <label
        >New password <small>12 to 128 characters, any.</small>
        <input type="password" name="password" required minlength="12" maxlength="512" autocomplete="new-password" />
      </label>
      <label
        >The same once more
        <input type="password" name="again" required minlength="12" maxlength="512" autocomplete="new-password" />
      </label>
      <button>Set password</button>
    </form>`;
}
