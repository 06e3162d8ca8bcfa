import { accentOf, mixed, readableOn } from '../accent.ts';

/** The darkest background of links and buttons in light mode (`--calm`), and the lightest in dark mode (`--good`). */
const GROUNDS = { light: '#e8eef1', dark: '#12392c' };
const PRESSED_SHARE = 0.18;
const BLACK = '#000000';
const WHITE = '#ffffff';

/**
 * Returns the stylesheet of a brand: only custom properties, for light and dark mode. The colour is darkened or lightened if it would not be
 * readable. Text that is not `#rrggbb` is replaced by our own colour, so none of it reaches the stylesheet.
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
