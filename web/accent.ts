/** The colour of applications that have chosen none. */
export const DEFAULT_ACCENT = '#0b6b4f';
const WHITE = '#ffffff';
const BLACK = '#000000';
/** WCAG 2.2 AA for text. */
const CONTRAST_MIN = 4.5;
const STEPS = 40;

/** Returns the colour as `#rrggbb` for a stylesheet; our own for any other text. */
export function accentOf(color: string): string {
  return /^#[0-9a-f]{6}$/i.test(color) ? color.toLowerCase() : DEFAULT_ACCENT;
}

/** Returns the colour, darkened as far as needed to be readable on white; our own for text that is not `#rrggbb`. */
export function readableAccent(color: string): string {
  return readableOn(WHITE, accentOf(color));
}

/** Returns the colour, moved as far towards black (on a light ground) or white (on a dark one) as needed to be readable on it. */
export function readableOn(ground: string, color: string): string {
  const target = luminanceOf(ground) > 0.18 ? BLACK : WHITE;
  const tries = Array.from({ length: STEPS }, (_, step) => mixed(color, { into: target, share: step / STEPS }));
  return tries.find((found) => contrastOf(found, ground) >= CONTRAST_MIN) ?? target;
}

/** Returns the colour at `share` of the way to another, from 0 to 1. */
export function mixed(color: string, { into, share }: { into: string; share: number }): string {
  const target = channelsOf(into);
  const channels = channelsOf(color).map((channel, index) => channel + ((target[index] ?? 0) - channel) * share);
  return `#${channels.map((channel) => Math.round(channel).toString(16).padStart(2, '0')).join('')}`;
}

/** Source: WCAG 2.2, contrast ratio. */
function contrastOf(color: string, ground: string): number {
  const [darker = 0, lighter = 0] = [luminanceOf(color), luminanceOf(ground)].sort((left, right) => left - right);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Source: WCAG 2.2, relative luminance. */
function luminanceOf(color: string): number {
  const [red = 0, green = 0, blue = 0] = channelsOf(color).map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channelsOf(color: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
}
