import { ago, exactInstantOf, instantOf, shortInstantOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';

/** Shows an instant in the business time zone. Its title has the zone, and how long ago it was or in how long it will be. */
export function Instant({
  at,
  isExact = false,
  isRelative = false,
}: {
  readonly at: string;
  /** To the second, for what happens in quick succession. */
  readonly isExact?: boolean;
  /** Says how long ago it was instead, where the age matters more than the date. */
  readonly isRelative?: boolean;
}) {
  const { language } = useLanguage();
  const age = ago(at, Date.now(), language);
  const shown = isExact ? exactInstantOf(at, language) : shortInstantOf(at, language);
  return (
    <time dateTime={at} title={`${instantOf(at, language)} · ${isRelative ? shown : age}`}>
      {isRelative ? age : shown}
    </time>
  );
}
