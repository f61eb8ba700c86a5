/** Pages that are loaded when they are opened, and drawn at once where they are loaded already: React holds back what it waited for. */
import { lazy } from "react";
import type { ComponentType, ReactElement } from "react";

export interface LoadedPage<Props extends object> {
  (props: Props): ReactElement;
  /** Never fails: opening the page says what went wrong. */
  readonly load: () => Promise<void>;
}

export function loadedPage<Props extends object>(find: () => Promise<ComponentType<Props>>): LoadedPage<Props> {
  let Ready: ComponentType<Props> | undefined;
  const found = async (): Promise<{ default: ComponentType<Props> }> => ({ default: (Ready = await find()) });
  const Later = lazy(found);
  const Page = (props: Props): ReactElement => {
    const Present: ComponentType<Props> = Ready ?? Later;
    return <Present {...props} />;
  };
  const load = async (): Promise<void> => {
    await found().catch(() => undefined);
  };
  return Object.assign(Page, { load });
}
