import { accentOf, mixed, readableOn } from '../accent.ts';

/** Of the grounds that links and buttons stand on, the darkest in light (`--calm`) and the lightest in dark (`--good`). */
const GROUNDS = { light: '#e8eef1', dark: '#12392c' };
const PRESSED_SHARE = 0.18;
const BLACK = '#000000';
const WHITE = '#ffffff';

/**
 * The stylesheet of one brand: custom properties and nothing else, for light and dark. The colour is made darker or
 * lighter where it could not be read; any text but `#rrggbb` becomes our own colour, so none of it reaches the sheet.
 */
export function brandStylesheet(accentColor: string): string {
  const brand = accentOf(accentColor);
  const light = readableOn(GROUNDS.light, brand);
  const dark = readableOn(GROUNDS.dark, brand);
  return `:root {
  --brand: ${brand};
  --main: ${light};
  --main-strong: ${mixed(light, { into: BLACK, share: PRESSED_SHARE })};
  --on-main: ${WHITE};
}
@media (prefers-color-scheme: dark) {
  :root {
    --main: ${dark};
    --main-strong: ${mixed(dark, { into: WHITE, share: PRESSED_SHARE })};
    --on-main: ${BLACK};
  }
}
`;
}
