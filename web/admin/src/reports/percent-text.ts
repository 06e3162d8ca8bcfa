import type { Language } from '../../../language.ts';

/** Returns a rate of four decimals, as the API states it, as per cent: `0.9875` is `98.75 %`. */
export function percentText(rate: string, language: Language): string {
  return new Intl.NumberFormat(language === 'bn' ? 'bn-BD' : 'en-GB', {
    style: 'percent',
    maximumFractionDigits: 2,
  }).format(Number(rate));
}
