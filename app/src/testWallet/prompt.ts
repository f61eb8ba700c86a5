/** The test wallet's own windows: plain elements, so that nothing of the app is in them. */

export interface Account {
  readonly name: string;
  readonly address: string;
}

/** Whether the person signs. */
export function ask(lines: readonly string[]): Promise<boolean> {
  return open((box, close) => {
    for (const line of lines) box.append(element("p", line));
    const row = element("div", "");
    row.className = "test-wallet-buttons";
    row.append(
      button("Reject", "secondary", () => close(false)),
      button("Sign", "primary", () => close(true)),
    );
    box.append(row);
  }, false);
}

/** The account that the person shows to the page. */
export function chooseAccount(accounts: readonly Account[]): Promise<string | undefined> {
  return open<string | undefined>((box, close) => {
    box.append(element("p", "Which account may this page see?"));
    for (const { name, address } of accounts)
      box.append(button(`${name}  ${address.slice(0, 6)}…${address.slice(-4)}`, "secondary", () => close(address)));
    box.append(button("Reject", "secondary", () => close(undefined)));
  }, undefined);
}

function open<T>(fill: (box: HTMLElement, close: (value: T) => void) => void, otherwise: T): Promise<T> {
  return new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    dialog.className = "test-wallet";
    const box = element("div", "");
    box.className = "dialog";
    const title = element("h2", "Test wallet");
    title.id = "test-wallet-title";
    dialog.setAttribute("aria-labelledby", title.id);
    box.append(title);
    let answer = otherwise;
    fill(box, (value) => {
      answer = value;
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    dialog.append(box);
    document.body.append(dialog);
    dialog.showModal();
  });
}

function element(name: "p" | "div" | "h2", text: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function button(text: string, kind: string, press: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.className = `${kind} wide`;
  made.addEventListener("click", press);
  return made;
}
