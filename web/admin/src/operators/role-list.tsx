import type { Schemas } from '../api/client.ts';
import { useApplicationNames } from '../applications/application-names.ts';
import { useWords } from '../words/use-words.ts';
import { OPERATOR_WORDS } from './words.ts';

/** Roles by name, each with where it holds. */
export function RoleList({ roles }: { readonly roles: Schemas['Operator']['roles'] }) {
  const words = useWords(OPERATOR_WORDS);
  const applications = useApplicationNames();
  return roles.length === 0
    ? words.noRole
    : roles
        .map(({ name, applicationId }) =>
          applicationId === null ? name : `${name} (${applications[applicationId.toString()] ?? applicationId})`,
        )
        .join(', ');
}
