/** The languages of the payers' pages. */
export const languages = ['en', 'bn'] as const;
export type Language = (typeof languages)[number];

const maxHeaderLength = 1000;

/** Returns the page's language: an explicit choice (`?lang=`), otherwise by the weights of Accept-Language, otherwise English. */
export function negotiateLanguage(acceptLanguage: string | undefined, explicit: string | undefined): Language {
  return languageNamed(explicit ?? '') ?? preferred(acceptLanguage ?? '') ?? 'en';
}

/** Returns the path of the same page in a language. Forms use it too, so that a choice survives the redirect. */
export function inLanguage(path: string, language: Language): string {
  return `${path}${path.includes('?') ? '&' : '?'}lang=${language}`;
}

function preferred(acceptLanguage: string): Language | undefined {
  const wishes = acceptLanguage
    .slice(0, maxHeaderLength)
    .split(',')
    .map((item) => {
      const [tag = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
      return { language: languageNamed(tag), weight: /^[01](\.\d{0,3})?$/.test(weight) ? Number(weight) : 0 };
    })
    .filter((wish) => wish.weight > 0 && wish.language !== undefined);
  // Array.sort is stable: among equal weights the first one wins.
  return wishes.sort((left, right) => right.weight - left.weight)[0]?.language;
}

/** Returns our language with this tag, such as `bn-BD`; undefined if we have none. */
export function languageNamed(tag: string): Language | undefined {
  const primary = tag.trim().toLowerCase().split('-')[0];
  return languages.find((language) => language === primary);
}
