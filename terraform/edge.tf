# What the world sees: one address, one certificate, and a table of routes. Reads of packages go to the public bucket through
# Cloud CDN and need nothing else to be alive; all the rest goes to the API. The table is routes.json, in which the first route
# that fits wins; a test holds it against the read path of the API.

locals {
  hosts  = [var.host, "api.${var.host}", "npm.${var.host}"]
  table  = jsondecode(file("${path.module}/routes.json"))
  places = { api = google_compute_backend_service.api.id, bucket = google_compute_backend_bucket.public.id }
}

resource "google_compute_global_address" "edge" {
  name = "${var.name}-edge"

  depends_on = [google_project_service.apis]
}

resource "google_compute_backend_bucket" "public" {
  name             = "${var.name}-public"
  bucket_name      = google_storage_bucket.public.name
  enable_cdn       = true
  compression_mode = "AUTOMATIC"
  # The bucket knows the content type and the lifetime of each object; the rest is the same for all.
  custom_response_headers = [for name, value in local.table.headers : "${name}: ${value}"]

  # Each object says how long it may be kept. What is missing may exist a moment later, so nobody keeps that.
  cdn_policy {
    cache_mode        = "USE_ORIGIN_HEADERS"
    negative_caching  = false
    serve_while_stale = 0
  }
}

resource "google_compute_region_network_endpoint_group" "api" {
  name                  = "${var.name}-api"
  region                = var.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = google_cloud_run_v2_service.api.name
  }
}

resource "google_compute_backend_service" "api" {
  name                  = "${var.name}-api"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  enable_cdn            = false

  backend {
    group = google_compute_region_network_endpoint_group.api.id
  }
}

# `api.` and `npm.` go to the API as a whole: they are other spellings of addresses below the main host.
resource "google_compute_url_map" "edge" {
  name            = "${var.name}-edge"
  default_service = local.places.api

  host_rule {
    hosts        = [var.host]
    path_matcher = "registry"
  }

  path_matcher {
    name            = "registry"
    default_service = local.places.api

    dynamic "route_rules" {
      for_each = local.table.routes

      content {
        priority = 10 * (route_rules.key + 1)
        service  = local.places[route_rules.value.to]

        match_rules {
          prefix_match        = lookup(route_rules.value, "prefix", null)
          full_path_match     = lookup(route_rules.value, "exact", null)
          path_template_match = lookup(route_rules.value, "template", null)

          dynamic "header_matches" {
            for_each = lookup(route_rules.value, "when", [])

            content {
              header_name   = header_matches.value.header
              exact_match   = lookup(header_matches.value, "exact", null)
              prefix_match  = lookup(header_matches.value, "prefix", null)
              present_match = lookup(header_matches.value, "present", null)
              invert_match  = lookup(header_matches.value, "not", false)
            }
          }
        }

        dynamic "route_action" {
          for_each = contains(keys(route_rules.value), "rewrite") ? [route_rules.value.rewrite] : []

          content {
            url_rewrite {
              path_template_rewrite = route_action.value
            }
          }
        }
      }
    }
  }
}

# A certificate cannot be changed, so another list of hosts is another certificate. It is issued once all names point here.
resource "google_compute_managed_ssl_certificate" "edge" {
  name = "${var.name}-${substr(sha256(join(",", local.hosts)), 0, 8)}"

  managed {
    domains = local.hosts
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [google_project_service.apis]
}

resource "google_compute_ssl_policy" "edge" {
  name            = "${var.name}-edge"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"

  depends_on = [google_project_service.apis]
}

resource "google_compute_target_https_proxy" "edge" {
  name             = "${var.name}-edge"
  url_map          = google_compute_url_map.edge.id
  ssl_certificates = [google_compute_managed_ssl_certificate.edge.id]
  ssl_policy       = google_compute_ssl_policy.edge.id
}

resource "google_compute_global_forwarding_rule" "https" {
  name                  = "${var.name}-https"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.edge.id
  port_range            = "443"
  target                = google_compute_target_https_proxy.edge.id
}

# Plain HTTP is sent to HTTPS and carries nothing else.
resource "google_compute_url_map" "plain" {
  name = "${var.name}-plain"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "PERMANENT_REDIRECT"
    strip_query            = false
  }

  depends_on = [google_project_service.apis]
}

resource "google_compute_target_http_proxy" "plain" {
  name    = "${var.name}-plain"
  url_map = google_compute_url_map.plain.id
}

resource "google_compute_global_forwarding_rule" "plain" {
  name                  = "${var.name}-plain"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.edge.id
  port_range            = "80"
  target                = google_compute_target_http_proxy.plain.id
}
