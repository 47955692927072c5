{{- define "millrace.name" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- $full | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "millrace.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "millrace.labels" -}}
{{ include "millrace.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* ADDRESS:PORT to listen on; IPv6 in brackets. */ -}}
{{- define "millrace.listen" -}}
{{- printf (ternary "[%s]:%v" "%s:%v" (contains ":" .bind)) .bind .port -}}
{{- end }}

{{- /* How the autoscalers remove pods. */ -}}
{{- define "millrace.scalingBehavior" -}}
# A pod that goes drains its streams: not for a dip of a minute.
scaleDown:
  stabilizationWindowSeconds: 600
  policies: [{type: Pods, value: 1, periodSeconds: 300}]
{{- end }}

{{- /* The relay's file: what the chart sets, under what the values set. */ -}}
{{- define "millrace.config" -}}
{{- $relay := dict "address" (include "millrace.listen" (dict "bind" .Values.bind "port" 8080)) "serves" "relay" }}
{{- if .Values.tls.existingSecret }}
{{- $pair := dict "cert" "/run/secrets/millrace-tls/tls.crt" "key" "/run/secrets/millrace-tls/tls.key" }}
{{- $_ := set $relay "tls" (dict "certificates" (list $pair)) }}
{{- end }}
{{- $admin := dict "address" (include "millrace.listen" (dict "bind" .Values.bind "port" 9090)) "serves" (list "health" "metrics") }}
{{- $drain := printf "%ds" (int .Values.stop.drainSeconds) }}
{{- $delay := printf "%ds" (int .Values.stop.shutdownDelaySeconds) }}
{{- $config := dict "listeners" (list $relay $admin) "timeouts" (dict "drain" $drain "shutdownDelay" $delay) }}
{{- $redis := dict "url" .Values.redis.url "credential" (dict "file" "/run/secrets/millrace-redis/password") }}
{{- if .Values.clients.existingSecret }}
{{- $clients := dict "file" "/run/secrets/millrace-clients/clients.yaml" }}
{{- if and .Values.redis.url .Values.redis.limits }}{{ $_ := set $clients "redis" $redis }}{{ end }}
{{- $_ := set $config "clients" $clients }}
{{- end }}
{{- if and .Values.redis.url .Values.redis.resume }}
{{- $store := merge (dict "secret" (dict "file" "/run/secrets/millrace-redis/resume-secret")) $redis }}
{{- $_ := set $config "resume" (dict "redis" $store) }}
{{- end }}
{{- toYaml (mergeOverwrite $config (deepCopy .Values.config)) }}
{{- end }}
