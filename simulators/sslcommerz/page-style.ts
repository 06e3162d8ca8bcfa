/** The style sheet of the payer's pages. It is inline because the pages load no other files. */
export const pageStyle = `
:root { color-scheme: light dark; --ink: #17233c; --soft: #53607a; --line: #d5dbe7; --paper: #fff; --ground: #eef1f7;
  --main: #16558f; --bad: #a3262a; --note: #fff4d6; --note-ink: #5b4300; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf5; --soft: #aab4c8; --line: #3a455c; --paper: #1b2333;
  --ground: #111725; --main: #2f7cc4; --bad: #e2777b; --note: #3b3012; --note-ink: #ffe6a3; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 30rem; margin: 0 auto; padding: 1rem; }
.simulator { background: var(--note); color: var(--note-ink); text-align: center; padding: .5rem 1rem; margin: 0; font-size: .9rem; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem; margin-top: 1rem; }
h1 { font-size: 1.1rem; margin: 0; } .amount { font-size: 2rem; font-weight: 700; margin: .25rem 0; }
.soft { color: var(--soft); font-size: .9rem; margin: .25rem 0; overflow-wrap: anywhere; }
fieldset { border: 0; margin: 0; padding: 0; } legend { font-weight: 600; padding: 0; margin-bottom: .5rem; }
.tabs { display: grid; grid-template-columns: repeat(3, 1fr); gap: .5rem; }
.tabs > input { position: absolute; opacity: 0; }
.tabs > label { border: 1px solid var(--line); border-radius: 8px; padding: .6rem .25rem; text-align: center; cursor: pointer; font-size: .95rem; }
.tabs > input:checked + label { border-color: var(--main); box-shadow: inset 0 0 0 1px var(--main); font-weight: 600; }
.tabs > input:focus-visible + label, button:focus-visible, a:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; }
.panel { display: none; grid-column: 1 / -1; }
#channel-card:checked ~ .panel-card, #channel-wallet:checked ~ .panel-wallet, #channel-bank:checked ~ .panel-bank { display: grid; gap: .5rem; }
.choice { display: flex; gap: .75rem; align-items: center; border: 1px solid var(--line); border-radius: 8px; padding: .6rem .75rem; min-height: 3rem; cursor: pointer; }
.choice small { display: block; color: var(--soft); }
button, .button { display: block; width: 100%; min-height: 3rem; border-radius: 8px; border: 1px solid var(--line); background: var(--paper);
  color: var(--ink); font: inherit; cursor: pointer; margin-top: .6rem; padding: .5rem; }
button.main { background: var(--main); border-color: var(--main); color: #fff; font-weight: 600; margin-top: 1.25rem; }
.row { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem; } button.bad { color: var(--bad); border-color: var(--bad); }
input[type=text] { font: inherit; width: 100%; padding: .6rem; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); color: var(--ink); }
a { color: var(--main); }
`;
