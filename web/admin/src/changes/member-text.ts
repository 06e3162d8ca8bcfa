import { useQuery } from '@tanstack/react-query';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { useApplicationNames } from '../applications/application-names.ts';
import { countOf, sumOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';

type Change = Pick<Schemas['PendingChange'], 'kind' | 'target'>;

/** Returns a member's name as words: `refundApprovalThresholdMinor` is `refund approval threshold`. */
export function nameOfMember(name: string): string {
  return name
    .replace(/Minor$/, '')
    .replaceAll(/([a-z])([A-Z])/g, (_all, before: string, after: string) => `${before} ${after.toLowerCase()}`);
}

/** Returns a function that shows a member's value: amounts as money of their currency, applications by name. */
export function useMemberText({ kind, target }: Change): (name: string, value: unknown) => string {
  const { language } = useLanguage();
  const applications = useApplicationNames();
  const payout = useQuery({
    queryKey: ['payout', target.id],
    enabled: kind === 'bank-amount',
    queryFn: () => dataOf(api.GET('/admin/payouts/{reference}', { params: { path: { reference: target.id } } })),
  });
  const currencyOf = (name: string): string | undefined => {
    switch (name) {
      case 'refundApprovalThresholdMinor':
        return 'BDT';
      case 'bankMinor':
        return payout.data?.currency;
      default:
        return undefined;
    }
  };
  const textOf = (name: string, value: unknown): string => {
    if (value === null || value === undefined) {
      return '–';
    }
    if (Array.isArray(value)) {
      return value.map((one: unknown) => textOf(name, one)).join('; ');
    }
    if (typeof value === 'object') {
      return Object.entries(value)
        .map(([member, part]) => `${nameOfMember(member)}: ${textOf(member, part)}`)
        .join(', ');
    }
    const currency = currencyOf(name);
    const text = String(value);
    if (currency !== undefined && /^-?\d+$/.test(text)) {
      return sumOf(text, currency, language);
    }
    if (name === 'applicationId') {
      return applications[text] ?? text;
    }
    return typeof value === 'number' && Number.isSafeInteger(value) ? countOf(value, language) : text;
  };
  return textOf;
}
