// The type that every shipped dashboard has to have. It is that of Grafana's own schema, with the gaps
// filled that the schema leaves open: a panel's options and field settings are those of its kind, an
// override names a setting and has a value for it, a query is one of Prometheus. A dashboard is assigned
// to it as a literal, so whatever the type does not know is a mistake.

import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import type {
  AnnotationQuery, Dashboard, DataTransformerConfig, FieldConfig, GraphFieldConfig, MatcherConfig, Panel, RowPanel,
  TableFieldOptions, VariableModel,
} from '@grafana/schema';
import type { Options as BarGauge } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { FieldConfig as HeatmapField, Options as Heatmap } from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type { Options as NodeGraph } from '@grafana/schema/dist/esm/raw/composable/nodegraph/panelcfg/x/NodeGraphPanelCfg_types.gen';
import type { Options as Stat } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { FieldConfig as StateTimelineField, Options as StateTimeline } from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type { Options as Table } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type { Options as TimeSeries } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** `T` as JSON has it: the values of an enum instead of its names. */
type Json<T> = T extends string
  ? `${T}`
  : T extends readonly (infer E)[]
    ? Json<E>[]
    : T extends object
      ? { [K in keyof T]: Json<T[K]> }
      : T;

/** `T` with some of its properties told more exactly. */
type With<T, Exact> = Omit<T, keyof Exact> & Exact;

type None = Record<string, never>;

/** Options and field settings by kind of panel: the kinds that the boards use. */
interface Kinds {
  bargauge: [BarGauge, None];
  heatmap: [Heatmap, HeatmapField];
  nodeGraph: [NodeGraph, None];
  stat: [Stat, None];
  'state-timeline': [StateTimeline, StateTimelineField];
  table: [Table, TableFieldOptions];
  timeseries: [TimeSeries, GraphFieldConfig];
}

type Query = Required<Pick<Dataquery, 'datasource' | 'refId'>> & Omit<Dataquery, '_implementsDataqueryVariant'>;

interface DataLink {
  title: string;
  url: string;
  targetBlank: boolean;
}

type Fields<Custom> = With<FieldConfig, { custom: Custom; links?: DataLink[] }>;

/** A setting by its name in an override, with its value. */
type Setting<T, Prefix extends string = ''> = {
  [K in keyof T & string]-?: { id: `${Prefix}${K}`; value: NonNullable<T[K]> };
}[keyof T & string];

interface FieldSettings<Custom> {
  defaults: Fields<Custom>;
  overrides: {
    matcher: With<MatcherConfig, { id: 'byName'; options: string }>;
    properties: (Setting<Omit<Fields<Custom>, 'custom'>> | Setting<Custom, 'custom.'>)[];
  }[];
}

type PanelOf<Kind extends keyof Kinds> = With<Panel, {
  type: Kind;
  options: Kinds[Kind][0];
  fieldConfig: FieldSettings<Kinds[Kind][1]>;
  targets: Query[];
  transformations?: With<DataTransformerConfig, { filter?: With<MatcherConfig, { id: 'byRefId'; options: string }> }>[];
}>;

type AnyPanel = { [Kind in keyof Kinds]: PanelOf<Kind> }[keyof Kinds];

type Variable =
  | With<VariableModel, { type: 'datasource'; query: 'prometheus' | 'tempo' | 'loki' }>
  | With<VariableModel, { type: 'query'; query: { qryType: number; query: string; refId: string } }>;

/** The two formats are read by the data source of Prometheus. */
type Annotation = AnnotationQuery<Query> & { titleFormat: string; textFormat: string };

export type Board = Json<With<Dashboard, {
  annotations: { list: Annotation[] };
  panels: (AnyPanel | With<RowPanel, { panels: AnyPanel[] }>)[];
  templating: { list: Variable[] };
}>>;
