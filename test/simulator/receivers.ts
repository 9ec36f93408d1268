/** The kinds of destination that the simulator can be. Adding one is one file and one line here. */
import { cloudwatch } from "./cloudwatch.ts";
import type { Kind } from "./control.ts";
import { datadog } from "./datadog.ts";
import { elastic } from "./elastic.ts";
import type { ReceiverKind } from "./receiver.ts";
import { splunkHec } from "./splunk-hec.ts";
import { splunkSearch } from "./splunk-search.ts";
import { webhook } from "./webhook.ts";

export const RECEIVERS: Readonly<Record<Kind, ReceiverKind>> = {
  splunk: splunkHec,
  datadog: datadog,
  cloudwatch: cloudwatch,
  webhook: webhook,
  elastic: elastic,
  "splunk-search": splunkSearch,
};
