import { useApplicationNames } from '../applications/application-names.ts';
import { sumOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';

/** Returns a member's name as words: `refundApprovalThresholdMinor` is `refund approval threshold`. */
export function nameOfMember(name: string): string {
  return name
    .replace(/Minor$/, '')
    .replaceAll(/([a-z])([A-Z])/g, (_all, before: string, after: string) => `${before} ${after.toLowerCase()}`);
}

/** Returns a function that shows a member's value: amounts as money, applications by name. */
export function useMemberText(): (name: string, value: unknown) => string {
  const { language } = useLanguage();
  const applications = useApplicationNames();
  const textOf = (name: string, value: unknown): string => {
    if (value === null || value === undefined) {
      return '–';
    }
    if (name.endsWith('Minor') && /^-?\d+$/.test(String(value))) {
      return sumOf(String(value), 'BDT', language);
    }
    if (name === 'applicationId') {
      return applications[String(value)] ?? String(value);
    }
    if (Array.isArray(value)) {
      return value.map((one: unknown) => textOf(name, one)).join('; ');
    }
    return typeof value === 'object'
      ? Object.entries(value)
          .map(([member, part]) => `${nameOfMember(member)}: ${textOf(member, part)}`)
          .join(', ')
      : String(value);
  };
  return textOf;
}
