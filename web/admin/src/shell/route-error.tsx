import type { ErrorComponentProps } from '@tanstack/react-router';
import { ErrorNotice } from '../parts/error-notice.tsx';

/** A page could not be shown: its code did not arrive, or it has a defect. */
export function RouteError({ error, reset }: ErrorComponentProps) {
  return <ErrorNotice error={error instanceof Error ? error : new Error(String(error))} retry={reset} />;
}
