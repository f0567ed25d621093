package cn.doorstep.android

import android.content.Context
import androidx.work.Constraints
import androidx.work.CoroutineWorker
import androidx.work.ExistingPeriodicWorkPolicy
import androidx.work.NetworkType
import androidx.work.PeriodicWorkRequest
import androidx.work.WorkManager
import androidx.work.WorkerParameters
import cn.doorstep.ffi.DoorstepException
import java.time.Duration
import java.util.concurrent.TimeUnit

/** Background sync: short, resumable, and safe to be killed at any moment. */
class SyncWorker(context: Context, parameters: WorkerParameters) : CoroutineWorker(context, parameters) {
    override suspend fun doWork(): Result = try {
        Phone.of(applicationContext).syncOnce(Duration.ofMinutes(5))
        Result.success()
    } catch (_: DoorstepException.Network) {
        Result.retry()
    } catch (_: DoorstepException.Cancelled) {
        Result.retry()
    } catch (_: DoorstepException.KeyUnavailable) {
        Result.retry() // before the first unlock
    } catch (_: DoorstepException) {
        Result.failure() // the status and the diagnostics have the reason
    }

    companion object {
        /** Every quarter of an hour, the shortest that the system grants, when there is a network. */
        fun schedule(context: Context) {
            val request = PeriodicWorkRequest.Builder(SyncWorker::class.java, 15, TimeUnit.MINUTES)
                .setConstraints(Constraints.Builder().setRequiredNetworkType(NetworkType.CONNECTED).build())
                .build()
            WorkManager.getInstance(context).enqueueUniquePeriodicWork("doorstep-sync", ExistingPeriodicWorkPolicy.KEEP, request)
        }
    }
}
