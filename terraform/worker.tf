# `slipway worker`: a pool of instances without a port, which run until they are told to stop. One that is stopped in the middle
# of its work loses nothing: another one takes the job up when its lease is over.

resource "google_cloud_run_v2_worker_pool" "worker" {
  name                = "${var.name}-worker"
  location            = var.region
  launch_stage        = "BETA"
  deletion_protection = false

  scaling {
    scaling_mode          = "MANUAL"
    manual_instance_count = var.worker_instances
  }

  template {
    service_account = google_service_account.roles["worker"].email

    containers {
      image = var.image
      args  = ["worker"]

      resources {
        limits = {
          cpu    = tostring(var.worker_cpu)
          memory = "${var.worker_memory_gb}Gi"
        }
      }

      dynamic "env" {
        for_each = local.plain_settings

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = local.secret_settings

        content {
          name = env.key

          value_source {
            secret_key_ref {
              secret  = env.value.secret
              version = env.value.version
            }
          }
        }
      }
    }

    vpc_access {
      egress = "PRIVATE_RANGES_ONLY"

      network_interfaces {
        network    = google_compute_network.main.id
        subnetwork = google_compute_subnetwork.main.id
      }
    }
  }

  depends_on = [
    google_cloud_run_v2_job.database,
    google_compute_instance.queue,
    google_secret_manager_secret_iam_member.database,
    google_secret_manager_secret_iam_member.identity,
    google_secret_manager_secret_iam_member.queue,
    google_secret_manager_secret_iam_member.signing,
    google_storage_bucket_iam_member.worker_private,
    google_storage_bucket_iam_member.worker_public,
  ]
}
